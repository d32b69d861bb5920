import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** In memory where that is possible: every record is fsynced, and a busy disk takes its time. */
const root = process.env.TMPDIR === undefined && existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** A fresh folder for each test of the surrounding `describe`; the answer gives its path. */
export function useTempFolder(): () => string {
  let path = '';
  beforeEach(async () => {
    path = await mkdtemp(join(root, 'berth-test-'));
  });
  afterEach(() => removeTree(path));
  return () => path;
}

/** A path where nothing is yet: for what must be known by name before a test has begun, which may be none that runs. */
export function temporaryPath(prefix: string): string {
  return join(tmpdir(), prefix + randomBytes(4).toString('hex'));
}

/** Removes what a test made, also folders that their owner may not enter, and paths that no call takes for their length. */
export function removeTree(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  } catch {
    execFileSync('chmod', ['-R', 'u+rwX', path]);
    execFileSync('rm', ['-rf', path]);
  }
}
