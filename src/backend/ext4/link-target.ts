/** The targets of symbolic links: in the inode itself, or in a block. */
import type { BlockDevice } from './block-device';
import type { Inode } from './structures/inode';
import type { Parts } from './parts';

const maxLinkBytes = 4095;
const inInode = 60;

/** PATH_MAX without its zero, and what fits into a block with one. */
export function maxTargetBytes({ blockSize }: BlockDevice): number {
  return Math.min(maxLinkBytes, blockSize - 1);
}

/** Gives a new link its target. The inode is not written. */
export function putTarget({ device, allocator, blocks }: Parts, inode: Inode, target: Buffer): void {
  inode.size = target.length;
  if (target.length < inInode) {
    target.copy(inode.body);
    return;
  }
  const { start } = allocator.take(1);
  target.copy(device.fresh(start));
  const own = blocks.map(inode, [{ logical: 0, physical: start, count: 1, written: true }], []);
  inode.setBlocks(1 + own, device.blockSize);
}
