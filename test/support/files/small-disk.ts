/** A disk of a few kilobytes or megabytes, in memory, for tests of what happens when it is full. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Mounts one at `path`; false where this user may not mount (that takes root). */
export function mountSmallDisk(path: string, size: string): boolean {
  mkdirSync(path, { recursive: true });
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'berth-test', path]).status === 0;
}

export function unmountSmallDisk(path: string): void {
  spawnSync('umount', ['-l', path]);
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
