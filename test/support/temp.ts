import { mkdtemp, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
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
  afterEach(() => rm(path, { recursive: true, force: true, maxRetries: 5 }));
  return () => path;
}
