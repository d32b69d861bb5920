import assert from 'node:assert/strict';
import { join } from 'node:path';
import { readSuperblock } from '../../../../../src/backend/ext4/fitness';
import { useTempFolder } from '../../../../support/temp';
import { makeImage } from '../../files/disk/harness';

/** Mebibytes and options of mke2fs. */
const shapes: [number, string[]][] = [
  [4, []],
  [64, []],
  [10_240, ['-E', 'assume_storage_prezeroed=1']],
  [512, ['-b', '1024']],
  [512, ['-O', '^64bit']],
  [200, ['-O', '^has_journal']],
  [1024, ['-O', 'sparse_super2']],
  [1024, ['-O', '^sparse_super,^resize_inode']],
];

describe('the size of what an ext4 file system holds', () => {
  const folder = useTempFolder();

  for (const [size, options] of shapes) {
    it(`is what mke2fs says: ${size} MiB ${options.join(' ')}`, async () => {
      const superblock = await readSuperblock('it', makeImage(join(folder(), 'disk'), size, options));
      // Where mke2fs noted what it used itself: s_overhead_clusters.
      const overhead = superblock.raw.readUInt32LE(0x248);
      assert(overhead > 0);
      const { blocks, freeBlocks, blockSize, usedBytes } = superblock;
      assert.equal(usedBytes, (blocks - freeBlocks - overhead) * blockSize);
      assert(usedBytes < 64 * 1024, `${usedBytes} bytes in an empty one`);
    });
  }
});
