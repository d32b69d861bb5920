/** The bitmaps of blocks and inodes; those that mke2fs left unwritten are made when they are needed first. */
import type { BlockDevice } from '../block-device';
import { groupFlag, type Groups } from './groups';
import type { Superblock } from './superblock';

/** Whether the bit of a block or inode, counted from 0, is set. */
export function isSet(bits: Uint8Array, index: number): boolean {
  return ((bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
}

/** Sets or clears `count` bits from `start` on. */
export function setBits(bits: Uint8Array, start: number, count: number, value: boolean): void {
  for (let index = start; index < start + count; index++) {
    const byte = bits[index >> 3] ?? 0;
    const bit = 1 << (index & 7);
    bits[index >> 3] = value ? byte | bit : byte & ~bit;
  }
}

export class Bitmaps {
  private readonly checked = new Set<number>();
  private readonly unwritten = new Map<number, Buffer>();
  /** Groups whose checksums are to be made anew at the end of the transaction. */
  private readonly changed = { blockBitmap: new Set<number>(), inodeBitmap: new Set<number>() };

  constructor(
    private readonly device: BlockDevice,
    private readonly superblock: Superblock,
    private readonly groups: Groups,
  ) {}

  /** As it is, or would be; not to be changed. */
  blocks(group: number): Buffer {
    if ((this.groups.flags(group) & groupFlag.blocksUninitialised) !== 0) {
      return this.unwrittenBlocks(group);
    }
    const place = this.groups.place(group, 'blockBitmap');
    const bits = this.device.read(place);
    if (!this.checked.has(place)) {
      this.groups.checkBitmap(group, 'blockBitmap', bits.subarray(0, this.superblock.blocksPerGroup / 8));
      this.checked.add(place);
    }
    return bits;
  }

  inodes(group: number): Buffer {
    if ((this.groups.flags(group) & groupFlag.inodesUninitialised) !== 0) {
      return this.unwrittenInodes();
    }
    const place = this.groups.place(group, 'inodeBitmap');
    const bits = this.device.read(place);
    if (!this.checked.has(place)) {
      this.groups.checkBitmap(group, 'inodeBitmap', bits.subarray(0, this.superblock.inodesPerGroup / 8));
      this.checked.add(place);
    }
    return bits;
  }

  /** Changes bits of blocks, the free count of the group and all checksums. */
  markBlocks(group: number, start: number, count: number, used: boolean): void {
    const bits = this.writable(group, 'blockBitmap', groupFlag.blocksUninitialised, () => this.blocks(group));
    setBits(bits, start, count, used);
    this.groups.set(group, 'freeBlocks', this.groups.get(group, 'freeBlocks') + (used ? -count : count));
    this.changed.blockBitmap.add(group);
  }

  markInode(group: number, index: number, used: boolean, isDirectory: boolean): void {
    const bits = this.writable(group, 'inodeBitmap', groupFlag.inodesUninitialised, () => this.inodes(group));
    setBits(bits, index, 1, used);
    const by = used ? 1 : -1;
    this.groups.set(group, 'freeInodes', this.groups.get(group, 'freeInodes') - by);
    if (isDirectory) {
      this.groups.set(group, 'directories', Math.max(0, this.groups.get(group, 'directories') + by));
    }
    // Inodes from here on were never used; the table need not be read that far.
    const unused = this.superblock.inodesPerGroup - (index + 1);
    if (used && this.groups.get(group, 'unusedInodes') > unused) {
      this.groups.set(group, 'unusedInodes', unused);
    }
    this.changed.inodeBitmap.add(group);
  }

  /** Before a commit. */
  seal(): void {
    const { blocksPerGroup, inodesPerGroup } = this.superblock;
    for (const group of this.changed.blockBitmap) {
      const bits = this.device.read(this.groups.place(group, 'blockBitmap'));
      this.groups.setBitmapChecksum(group, 'blockBitmap', bits.subarray(0, blocksPerGroup / 8));
    }
    for (const group of this.changed.inodeBitmap) {
      const bits = this.device.read(this.groups.place(group, 'inodeBitmap'));
      this.groups.setBitmapChecksum(group, 'inodeBitmap', bits.subarray(0, inodesPerGroup / 8));
    }
    this.groups.seal();
    this.settle();
  }

  /** After a rollback: nothing was changed. */
  settle(): void {
    this.changed.blockBitmap.clear();
    this.changed.inodeBitmap.clear();
    this.groups.settle();
  }

  private writable(
    group: number,
    place: 'blockBitmap' | 'inodeBitmap',
    flag: number,
    current: () => Buffer,
  ): Buffer {
    const block = this.groups.place(group, place);
    if ((this.groups.flags(group) & flag) === 0) {
      current();
      return this.device.edit(block);
    }
    const bits = current();
    bits.copy(this.device.fresh(block));
    this.groups.clearFlag(group, flag);
    this.checked.add(block);
    return this.device.edit(block);
  }

  private unwrittenInodes(): Buffer {
    const bits = Buffer.alloc(this.device.blockSize);
    const { inodesPerGroup } = this.superblock;
    setBits(bits, inodesPerGroup, this.device.blockSize * 8 - inodesPerGroup, true);
    return bits;
  }

  /** All that mke2fs put into a group, and what lies behind the end of the disk. */
  private unwrittenBlocks(group: number): Buffer {
    const known = this.unwritten.get(group) ?? this.initialBlocks(group);
    this.unwritten.set(group, known);
    return known;
  }

  private initialBlocks(group: number): Buffer {
    const bits = Buffer.alloc(this.device.blockSize);
    const start = this.groups.start(group);
    const size = this.groups.size(group);
    setBits(bits, size, this.device.blockSize * 8 - size, true);
    const use = (first: number, count: number): void => {
      const from = Math.max(first, start);
      const to = Math.min(first + count, start + size);
      setBits(bits, from - start, Math.max(0, to - from), true);
    };
    if (this.superblock.hasBackup(group)) {
      use(start, 1 + this.groups.tableBlocks + this.superblock.reservedDescriptorBlocks);
    }
    const tableBlocks = Math.ceil(
      (this.superblock.inodesPerGroup * this.superblock.inodeSize) / this.device.blockSize,
    );
    for (let each = 0; each < this.groups.count; each++) {
      use(this.groups.place(each, 'blockBitmap'), 1);
      use(this.groups.place(each, 'inodeBitmap'), 1);
      use(this.groups.place(each, 'inodeTable'), tableBlocks);
    }
    return bits;
  }
}
