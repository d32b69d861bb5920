/** The blocks of an inode: finding, giving and freeing them. */
import { damaged } from './disk-error';
import type { Allocator } from './allocator';
import { attributesMagic, sealAttributes } from './structures/attributes';
import type { BlockDevice } from './block-device';
import { fileType, type Inode, inodeFlag } from './structures/inode';
import { type Extent, type Mapping, readMapping, writeMapping } from './structures/mapping';
import type { Superblock } from './structures/superblock';

export class InodeBlocks {
  constructor(
    private readonly device: BlockDevice,
    private readonly superblock: Superblock,
    private readonly allocator: Allocator,
  ) {}

  mapping(inode: Inode): Mapping {
    return readMapping(this.device, inode, this.superblock.hasChecksums);
  }

  /** Maps an inode anew, and frees the blocks of the old map. Answers how many blocks the map takes. */
  map(inode: Inode, extents: readonly Extent[], old: readonly number[]): number {
    return writeMapping(this.device, inode, extents, old, {
      take: () => this.allocator.take(1).start,
      free: (block) => this.freeMetadata({ start: block, count: 1 }),
    });
  }

  /** Frees the content of a file; answers the blocks of its map, which `map` takes over. */
  freeContent(inode: Inode): readonly number[] {
    const { extents, own } = this.mapping(inode);
    for (const { physical, count } of extents) {
      this.freeMetadata({ start: physical, count }, true);
    }
    return own;
  }

  /** Frees all that an inode has. */
  free(inode: Inode): void {
    const hasBlocks =
      inode.type === fileType.regular ||
      inode.isDirectory ||
      (inode.type === fileType.symlink && inode.has(inodeFlag.extents)) ||
      (inode.type === fileType.symlink && inode.size >= 60);
    if (hasBlocks && !inode.has(inodeFlag.inlineData)) {
      const { extents, own } = this.mapping(inode);
      for (const { physical, count } of extents) {
        this.freeMetadata({ start: physical, count }, !inode.isDirectory);
      }
      for (const block of own) {
        this.freeMetadata({ start: block, count: 1 });
      }
    }
    this.dropAttributes(inode);
  }

  private freeMetadata(run: { start: number; count: number }, isContent = false): void {
    this.allocator.free(run);
    for (let block = run.start; !isContent && block < run.start + run.count; block++) {
      this.device.forget(block);
    }
  }

  /** How many blocks an inode has, those of its map and attributes included. */
  count(inode: Inode): number {
    const { blockSize } = this.device;
    return inode.has(inodeFlag.hugeFile) ? inode.sectors : inode.sectors / (blockSize / 512);
  }

  /**
   * Takes an inode's block of extended attributes away, which may serve several files. The inode is not written. Throws
   * `internal` for a block that holds none.
   */
  dropAttributes(inode: Inode): void {
    const block = inode.attributes;
    if (block === 0) {
      return;
    }
    inode.attributes = 0;
    const content = this.device.read(block);
    const users = content.readUInt32LE(4);
    if (content.readUInt32LE(0) !== attributesMagic || users === 0) {
      throw damaged(`block ${block} holds no extended attributes`);
    }
    if (users === 1) {
      this.freeMetadata({ start: block, count: 1 });
      return;
    }
    const changed = this.device.edit(block);
    changed.writeUInt32LE(users - 1, 4);
    sealAttributes(this.superblock, block, changed);
  }

  /** Gives a directory so many blocks; new ones hold zeros. The inode is not written. */
  resizeDirectory(inode: Inode, blocks: number): void {
    const { extents, own } = this.mapping(inode);
    const kept: Extent[] = [];
    let count = 0;
    for (const extent of extents) {
      const keep = Math.min(extent.count, Math.max(0, blocks - count));
      if (keep > 0) {
        kept.push({ ...extent, count: keep });
      }
      if (keep < extent.count) {
        this.freeMetadata({ start: extent.physical + keep, count: extent.count - keep });
      }
      count += keep;
    }
    while (count < blocks) {
      const run = this.allocator.take(blocks - count);
      for (let block = run.start; block < run.start + run.count; block++) {
        this.device.fresh(block);
      }
      kept.push({ logical: count, physical: run.start, count: run.count, written: true });
      count += run.count;
    }
    inode.size = blocks * this.device.blockSize;
    const attributes = inode.attributes === 0 ? 0 : 1;
    inode.setBlocks(blocks + attributes + this.map(inode, kept, own), this.device.blockSize);
  }
}
