import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { formatExt4 } from '../../../../src/backend/ext4/format';
import { runE2fs } from '../../../../src/backend/ext4/e2fsprogs';
import { failure } from '../../../support/errors';
import { useTempFolder } from '../../../support/temp';
import { assertClean, makeImage } from '../files/disk/harness';

describe('programs of e2fsprogs', function () {
  this.timeout(30_000);
  const folder = useTempFolder();

  it('never open another file than the one that is meant', async () => {
    const other = makeImage(join(folder(), 'a'), 16);
    const meant = join(folder(), 'a?offset=0');
    await formatExt4(meant, { sizeMiB: 16 });
    assert(existsSync(meant));
    const before = await readFile(other);
    for (const program of ['e2fsck', 'resize2fs'] as const) {
      const error = await failure(runE2fs(program, [meant], 'check it', 10_000), 'bad_request');
      assert.match(error.message, /question mark: .*a\?offset=0/);
    }
    assert((await readFile(other)).equals(before));
    await rename(meant, join(folder(), 'b'));
    assertClean(join(folder(), 'b'));
  });

  it('get no name of a file system that is more than a name', async () => {
    for (const label of ['-x', 'a b', 'a\nb', 'x'.repeat(17), '']) {
      await failure(formatExt4(join(folder(), 'c'), { sizeMiB: 16, label }), 'bad_request');
    }
    await failure(formatExt4(join(folder(), 'c'), { sizeMiB: 16, uuid: 'random' }), 'bad_request');
    assert(!existsSync(join(folder(), 'c')));
  });
});
