import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A fresh folder for each test of the surrounding `describe`; the answer gives its path. */
export function useTempFolder(): () => string {
  let path = '';
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'berth-test-'));
  });
  afterEach(() => rm(path, { recursive: true, force: true, maxRetries: 5 }));
  return () => path;
}
