/**
 * One connection of OpenSSH for all streams to a machine (ControlMaster, ssh_config(5)): only the first stream pays for
 * a handshake. ssh keeps it by itself, for a minute after the last stream. A user who has a ControlPath has chosen already.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { run } from '../../../machine/run';

const keptS = 60;
const askTimeoutMs = 5_000;
/** An sshd has ten sessions in one connection (`MaxSessions`); the others get connections of their own. */
export const sharedSessions = 8;
/** `sun_path` is 104 bytes on macOS; ssh adds 17 characters while it makes the socket. */
const maxSocketBytes = 86;
/** ssh expands `%`, `~` and `$`, and splits at blanks. */
const plainPath = /^\/[\w./-]+$/;

export interface SharedConnection {
  /** Of a stream that uses it, or makes it. */
  options: readonly string[];
  /** Ends it, and every stream in it. Never rejects. */
  end: () => Promise<void>;
}

/**
 * `arguments` are those of ssh up to the host. Undefined where OpenSSH can't (Windows), where no path is short enough
 * for a socket in `folder`, and where the user's own configuration says how connections are shared.
 */
export async function sharedConnection(
  program: string,
  target: readonly string[],
  folder: string | undefined,
): Promise<SharedConnection | undefined> {
  const id = createHash('sha256').update(target.join('\0')).digest('hex').slice(0, 12);
  const path = folder === undefined ? '' : join(folder, `c-${id}`);
  const isPossible = process.platform !== 'win32' && plainPath.test(path) && path.length <= maxSocketBytes;
  if (!isPossible || (await isConfigured(program, target))) {
    return undefined;
  }
  const options = [`ControlPath=${path}`, 'ControlMaster=auto', `ControlPersist=${keptS}`];
  const end = async (): Promise<void> => {
    const ask = ['-O', 'exit', '-o', `ControlPath=${path}`, ...target];
    await run(program, ask, { what: 'end a shared connection', timeoutMs: askTimeoutMs }).catch(
      () => undefined,
    );
  };
  return { options: options.flatMap((option) => ['-o', option]), end };
}

/** Also where ssh does not say. */
async function isConfigured(program: string, target: readonly string[]): Promise<boolean> {
  const what = { what: 'read the configuration of ssh', timeoutMs: askTimeoutMs };
  const asked = await run(program, ['-G', ...target], what).catch(() => undefined);
  return asked?.code !== 0 || /^controlpath (?!none$)/m.test(asked.stdout);
}
