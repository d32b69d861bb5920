import { createHash } from 'node:crypto';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';

/** Unix socket addresses hold at most 107 bytes on Linux, 103 on macOS. */
const socketPathLimit = 100;

/** The state directory: `BERTH_HOME`, else `~/.berth`. */
export function stateDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const configured = env.BERTH_HOME;
  return configured !== undefined && configured !== '' ? resolve(configured) : join(homedir(), '.berth');
}

/** Where the engine of a state directory listens: a socket inside it, a shorter one elsewhere, or a named pipe. */
export function socketPath(home: string, platform: NodeJS.Platform = process.platform): string {
  const digest = createHash('sha256').update(home).digest('hex').slice(0, 16);
  if (platform === 'win32') {
    return `\\\\.\\pipe\\berth-${digest}`;
  }
  const inside = join(home, 'engine.sock');
  if (Buffer.byteLength(inside) <= socketPathLimit) {
    return inside;
  }
  return join(process.env.XDG_RUNTIME_DIR ?? tmpdir(), `berth-${userInfo().uid}-${digest}`, 'engine.sock');
}
