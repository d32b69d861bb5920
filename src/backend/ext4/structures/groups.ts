/** Group descriptors (Documentation/filesystems/ext4/group_descr.rst), kept in the blocks after the superblock. */
import { damaged } from '../disk-error';
import type { BlockDevice } from '../block-device';
import { crc16, crc32c, crc32cOf } from './crc';
import { incompat, roCompat, type Superblock } from './superblock';

export const groupFlag = { inodesUninitialised: 1, blocksUninitialised: 2 };

const checksumAt = 0x1e;

type Field = 'freeBlocks' | 'freeInodes' | 'directories' | 'unusedInodes';
const fields: Readonly<Record<Field, readonly [low: number, high: number]>> = {
  freeBlocks: [0xc, 0x2c],
  freeInodes: [0xe, 0x2e],
  directories: [0x10, 0x30],
  unusedInodes: [0x1c, 0x32],
};
type Place = 'blockBitmap' | 'inodeBitmap' | 'inodeTable';
const places: Readonly<Record<Place, readonly [low: number, high: number]>> = {
  blockBitmap: [0x0, 0x20],
  inodeBitmap: [0x4, 0x24],
  inodeTable: [0x8, 0x28],
};

export class Groups {
  private readonly isWide: boolean;
  /** Whose checksums are to be made anew at the end of the transaction. */
  private readonly changed = new Set<number>();

  constructor(
    private readonly device: BlockDevice,
    private readonly superblock: Superblock,
  ) {
    this.isWide = superblock.has('incompat', incompat.bit64) && superblock.descriptorSize >= 64;
  }

  get count(): number {
    return this.superblock.groups;
  }

  /** Blocks of the descriptor table. */
  get tableBlocks(): number {
    return Math.ceil((this.count * this.superblock.descriptorSize) / this.device.blockSize);
  }

  start(group: number): number {
    return this.superblock.firstDataBlock + group * this.superblock.blocksPerGroup;
  }

  /** Blocks in a group: fewer in the last one. */
  size(group: number): number {
    return Math.min(this.superblock.blocksPerGroup, this.device.blocks - this.start(group));
  }

  place(group: number, place: Place): number {
    const [low, high] = places[place];
    const [block, offset] = this.locate(group);
    const table = this.device.read(block);
    return table.readUInt32LE(offset + low) + (this.isWide ? table.readUInt32LE(offset + high) : 0) * 2 ** 32;
  }

  get(group: number, field: Field): number {
    const [low, high] = fields[field];
    return this.read16(group, low) + (this.isWide ? this.read16(group, high) : 0) * 65536;
  }

  set(group: number, field: Field, value: number): void {
    const [low, high] = fields[field];
    this.change(group, (raw) => {
      raw.writeUInt16LE(value & 0xffff, low);
      if (this.isWide) {
        raw.writeUInt16LE(value >>> 16, high);
      }
    });
  }

  flags(group: number): number {
    const knows = this.superblock.hasChecksums || this.superblock.has('roCompat', roCompat.groupChecksum);
    return knows ? this.read16(group, 0x12) : 0;
  }

  clearFlag(group: number, flag: number): void {
    this.change(group, (raw) => raw.writeUInt16LE(raw.readUInt16LE(0x12) & ~flag, 0x12));
  }

  /** The checksum of a bitmap's bytes is kept in the descriptor. */
  setBitmapChecksum(group: number, place: 'blockBitmap' | 'inodeBitmap', bytes: Buffer): void {
    if (this.superblock.hasChecksums) {
      const crc = crc32c(this.superblock.seed, bytes);
      const [low, high] = place === 'blockBitmap' ? [0x18, 0x38] : [0x1a, 0x3a];
      this.change(group, (raw) => {
        raw.writeUInt16LE(crc & 0xffff, low);
        if (this.isWide) {
          raw.writeUInt16LE(crc >>> 16, high);
        }
      });
    }
  }

  /** Throws `internal` for a bitmap whose checksum is wrong. */
  checkBitmap(group: number, place: 'blockBitmap' | 'inodeBitmap', bytes: Buffer): void {
    if (this.superblock.hasChecksums) {
      const crc = crc32c(this.superblock.seed, bytes);
      const [low, high] = place === 'blockBitmap' ? [0x18, 0x38] : [0x1a, 0x3a];
      const isRight =
        this.read16(group, low) === (crc & 0xffff) &&
        (!this.isWide || this.read16(group, high) === crc >>> 16);
      if (!isRight) {
        throw damaged(`the checksum of the bitmap of group ${group} is wrong`);
      }
    }
  }

  /** Before a commit: the checksums of what was changed. */
  seal(): void {
    for (const group of this.changed) {
      const raw = this.edit(group);
      raw.writeUInt16LE(this.checksum(group, raw), checksumAt);
    }
    this.settle();
  }

  /** After a rollback: nothing was changed. */
  settle(): void {
    this.changed.clear();
  }

  private locate(group: number): [block: number, offset: number] {
    const { firstDataBlock, descriptorSize } = this.superblock;
    const at = group * descriptorSize;
    const { blockSize } = this.device;
    return [firstDataBlock + 1 + Math.floor(at / blockSize), at % blockSize];
  }

  /** A number of a descriptor, at so many bytes in it. */
  private read16(group: number, at: number): number {
    const [block, offset] = this.locate(group);
    return this.device.read(block).readUInt16LE(offset + at);
  }

  private change(group: number, change: (raw: Buffer) => void): void {
    change(this.edit(group));
    this.changed.add(group);
  }

  private edit(group: number): Buffer {
    const [block, offset] = this.locate(group);
    return this.device.edit(block).subarray(offset, offset + this.superblock.descriptorSize);
  }

  private checksum(group: number, raw: Buffer): number {
    const { superblock } = this;
    if (superblock.hasChecksums) {
      const zeros = Buffer.alloc(2);
      const before = crc32c(crc32cOf(superblock.seed, group), raw, 0, checksumAt);
      return crc32c(crc32c(before, zeros), raw, checksumAt + 2) & 0xffff;
    }
    if (superblock.has('roCompat', roCompat.groupChecksum)) {
      const number = Buffer.alloc(4);
      number.writeUInt32LE(group);
      const before = crc16(crc16(crc16(0xffff, superblock.uuid), number), raw, 0, checksumAt);
      return crc16(before, raw, checksumAt + 2);
    }
    return raw.readUInt16LE(checksumAt);
  }
}
