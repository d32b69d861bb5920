import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspectLocal } from '../../../../../src/backend/files/local/facts';
import { setAttribute } from '../../../../support/files/file-facts';
import { skipWithout } from '../../../../support/skip';

/** More than one process is asked for at a time, and than are asked for at once. */
const count = 12_345;
const marked = [0, 5999, 6000, 11_999, 12_000, count - 1];

describe('What Python says of files of this machine', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'berth-facts-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is of the files that it was asked for, however many processes answer', async function () {
    if (process.platform !== 'linux') {
      skipWithout(this, 'Linux, which is where Python is asked');
    }
    const plain = join(folder, 'plain');
    writeFileSync(plain, 'plain');
    const files = Array.from({ length: count }, () => ({ source: plain, mayHaveHoles: false }));
    for (const index of marked) {
      const source = join(folder, `marked-${index}`);
      writeFileSync(source, '');
      truncateSync(source, 1024 * 1024);
      setAttribute(source, 'user.index', String(index));
      files[index] = { source, mayHaveHoles: true };
    }
    const found = await inspectLocal(files, new AbortController().signal);
    assert.deepEqual(
      [...(found ?? [])].map(([index, { xattrs, data }]) => [
        index,
        xattrs.get('user.index')?.toString(),
        data,
      ]),
      marked.map((index) => [index, String(index), []]),
    );
  });

  it('is not waited for once that is cancelled', async () => {
    const files = Array.from({ length: count }, () => ({ source: folder, mayHaveHoles: false }));
    await assert.rejects(inspectLocal(files, AbortSignal.abort()));
  });
});
