/** A disk of a few kilobytes or megabytes, in memory, for tests of what happens when it is full. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Where root mounts for who runs the tests: `scripts/lib/mount-service.mjs`. */
const service = process.env.BERTH_TEST_MOUNTS;
/** Asks there, as tests do such things, without a turn of the event loop. Constant text; what follows are arguments. */
const ask = `
const [socket, request] = process.argv.slice(1);
let answer = '';
const connection = require('node:net').connect(socket, () => connection.end(request));
connection.on('data', (data) => (answer += data)).on('close', () => process.exit(Number(answer || 1)));
connection.on('error', () => process.exit(1));
`;

function run(...argv: [string, ...string[]]): boolean {
  const [program, ...rest] =
    service === undefined ? argv : [process.execPath, '-e', ask, service, JSON.stringify(argv)];
  return spawnSync(program, rest).status === 0;
}

/** `mount` with these arguments, the last one where to; false where this user may not mount (that takes root). */
export function mount(...argv: string[]): boolean {
  const target = argv.at(-1) ?? '.';
  const before = statSync(target);
  if (!run('mount', ...argv)) {
    return false;
  }
  // What root mounts may be in another view of the file system than ours.
  const now = statSync(target);
  return now.dev !== before.dev || now.ino !== before.ino;
}

/** Mounts a small disk of this user's at `path`; false where this user may not mount. */
export function mountSmallDisk(path: string, size: string, mode = 0o755): boolean {
  mkdirSync(path, { recursive: true });
  const own = `uid=${process.getuid?.() ?? 0},gid=${process.getgid?.() ?? 0},mode=${mode.toString(8)}`;
  return mount('-t', 'tmpfs', '-o', `size=${size},${own}`, 'berth-test', path);
}

/** Gives a mounted one that much room; false where this user may not. */
export function resizeSmallDisk(path: string, size: string): boolean {
  return run('mount', '-o', `remount,size=${size}`, path);
}

/** Whatever is mounted there, also while it is in use. */
export function unmount(path: string): void {
  run('umount', '-l', path);
}

/** Writes until nothing more fits. */
export function fillDisk(path: string): void {
  const file = openSync(join(path, 'filler'), 'a');
  try {
    for (const piece of [Buffer.alloc(4096), Buffer.alloc(1)]) {
      for (;;) {
        if (writeSync(file, piece) < piece.length) {
          break;
        }
      }
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) {
      throw error;
    }
  } finally {
    closeSync(file);
  }
}
