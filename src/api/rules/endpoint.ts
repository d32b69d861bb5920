import { createHash } from 'node:crypto';
import { lstatSync, realpathSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { basename, dirname, join, resolve, win32 } from 'node:path';
import { BerthError } from '../errors';

/** Unix socket addresses hold at most 107 bytes on Linux, 103 on macOS. */
const socketPathLimit = 100;

/** The state directory: `BERTH_HOME`, else `~/.berth`. */
export function stateDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const configured = env.BERTH_HOME;
  return configured !== undefined && configured !== '' ? resolve(configured) : join(homedir(), '.berth');
}

/**
 * Where the engine of a state directory listens: a socket inside it, a shorter one elsewhere, or a named pipe. The same
 * for all that mean the same folder, however they spell it and whatever their environment is: engine and clients have
 * nothing else to find each other by.
 */
export function socketPath(home: string, platform: NodeJS.Platform = process.platform): string {
  const path = canonical(home, platform);
  const digest = createHash('sha256').update(path).digest('hex').slice(0, 16);
  if (platform === 'win32') {
    return `\\\\.\\pipe\\berth-${digest}`;
  }
  const inside = join(path, 'engine.sock');
  if (Buffer.byteLength(inside) <= socketPathLimit) {
    return inside;
  }
  // Not in TMPDIR or XDG_RUNTIME_DIR: a cron job or a login over ssh has others than a desktop.
  const folder = join('/tmp', `berth-${userInfo().uid}-${digest}`);
  refuseForeignFolder(folder);
  return join(folder, 'engine.sock');
}

/** Without links, `.` and slashes at the end; what is not there yet as it would be. */
function canonical(home: string, platform: NodeJS.Platform): string {
  if (platform !== 'win32') {
    return realPath(resolve(home));
  }
  const path = win32.resolve(home);
  return (platform === process.platform ? realPath(path) : path).toLowerCase();
}

function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
}

/** In a folder for all, somebody else may have made ours before us, to be taken for the engine. Throws `forbidden`. */
export function refuseForeignFolder(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  const own = process.getuid?.();
  if (found !== undefined && own !== undefined && (found.uid !== own || !found.isDirectory())) {
    throw new BerthError(
      'forbidden',
      `The folder of the engine's socket, ${path}, belongs to somebody else.`,
      {
        hint: 'Remove it, or set BERTH_HOME to a folder with a shorter path.',
      },
    );
  }
}
