/** The superblock (Linux, Documentation/filesystems/ext4/super.rst): geometry and features of an image. */
import { damaged, DiskError } from '../disk-error';
import { crc32c } from './crc';
import { refuseUnreadable, whyUnwritable } from './features';

export const superblockOffset = 1024;
export const superblockSize = 1024;

const magic = 0xef53;
const checksumAt = 0x3fc;

export const compat = { hasJournal: 0x4, attributes: 0x8, dirIndex: 0x20, sparseSuper2: 0x200 };
export const incompat = {
  filetype: 0x2,
  recover: 0x4,
  extents: 0x40,
  bit64: 0x80,
  flexGroups: 0x200,
  checksumSeed: 0x2000,
};
export const roCompat = {
  sparseSuper: 0x1,
  hugeFile: 0x8,
  groupChecksum: 0x10,
  dirLinks: 0x20,
  bigalloc: 0x200,
  metadataChecksum: 0x400,
  orphanPresent: 0x10000,
};

/** Fields of a superblock, read when they are asked for. */
export class Superblock {
  readonly blockSize: number;
  readonly blocks: number;
  readonly groups: number;
  readonly descriptorSize: number;
  /** What all CRC-32C of metadata start from. */
  readonly seed: number;

  /** Throws `internal` for what is no ext4, `not_supported` for large blocks. */
  constructor(readonly raw: Buffer) {
    if (raw.length < superblockSize || raw.readUInt16LE(0x38) !== magic) {
      throw damaged('it is not an ext4 file system');
    }
    refuseUnreadable(raw);
    const shift = raw.readUInt32LE(0x18);
    if (shift > 2) {
      throw new DiskError('not_supported', 'the file system has blocks of more than 4096 bytes');
    }
    this.blockSize = 1024 << shift;
    this.blocks =
      raw.readUInt32LE(0x4) + (this.has('incompat', incompat.bit64) ? raw.readUInt32LE(0x150) : 0) * 2 ** 32;
    this.groups = Math.ceil((this.blocks - this.firstDataBlock) / this.blocksPerGroup);
    this.descriptorSize = this.has('incompat', incompat.bit64) ? raw.readUInt16LE(0xfe) : 32;
    const seeded = this.has('incompat', incompat.checksumSeed);
    this.seed = seeded ? raw.readUInt32LE(0x270) : crc32c(0xffffffff, raw, 0x68, 0x78);
    this.check();
  }

  has(kind: 'compat' | 'incompat' | 'roCompat', bit: number): boolean {
    const at = { compat: 0x5c, incompat: 0x60, roCompat: 0x64 }[kind];
    return (this.raw.readUInt32LE(at) & bit) !== 0;
  }

  get inodes(): number {
    return this.raw.readUInt32LE(0);
  }
  get firstDataBlock(): number {
    return this.raw.readUInt32LE(0x14);
  }
  get blocksPerGroup(): number {
    return this.raw.readUInt32LE(0x20);
  }
  get inodesPerGroup(): number {
    return this.raw.readUInt32LE(0x28);
  }
  get inodeSize(): number {
    return this.raw.readUInt32LE(0x4c) === 0 ? 128 : this.raw.readUInt16LE(0x58);
  }
  get firstInode(): number {
    return this.raw.readUInt32LE(0x4c) === 0 ? 11 : this.raw.readUInt32LE(0x54);
  }
  get reservedDescriptorBlocks(): number {
    return this.raw.readUInt16LE(0xce);
  }
  get freeBlocks(): number {
    return (
      this.raw.readUInt32LE(0xc) +
      (this.has('incompat', incompat.bit64) ? this.raw.readUInt32LE(0x158) : 0) * 2 ** 32
    );
  }
  /** Bytes that files and folders take, without what the file system itself does. */
  get usedBytes(): number {
    return Math.max(0, this.blocks - this.freeBlocks - this.overheadBlocks) * this.blockSize;
  }
  /** Counted, as s_overhead_clusters is missing or out of date where a file system grew. */
  private get overheadBlocks(): number {
    const descriptors = Math.ceil((this.groups * this.descriptorSize) / this.blockSize);
    const backups = this.backups;
    const copies = backups ? [...backups].filter((group) => group < this.groups).length : this.groups;
    const tables = 2 + Math.ceil((this.inodesPerGroup * this.inodeSize) / this.blockSize);
    return (
      this.firstDataBlock +
      copies * (1 + descriptors + this.reservedDescriptorBlocks) +
      this.groups * tables +
      Math.ceil(this.journalBytes / this.blockSize)
    );
  }
  /** As the copy of the journal's inode has it (s_jnl_blocks, of which the last two are its size). */
  private get journalBytes(): number {
    const isKept = this.has('compat', compat.hasJournal) && this.raw.readUInt8(0xfd) === 1;
    return isKept ? this.raw.readUInt32LE(0x14c) + this.raw.readUInt32LE(0x148) * 2 ** 32 : 0;
  }
  get needsRecovery(): boolean {
    return this.has('incompat', incompat.recover);
  }
  /** Files that were deleted while a process had them open, which the next mount or e2fsck clears away. */
  get hasOrphans(): boolean {
    return this.raw.readUInt32LE(0xe8) !== 0 || this.has('roCompat', roCompat.orphanPresent);
  }
  get hasChecksums(): boolean {
    return this.has('roCompat', roCompat.metadataChecksum);
  }
  get uuid(): Buffer {
    return this.raw.subarray(0x68, 0x78);
  }
  /** The key of directory hashes, and whether names are hashed as unsigned bytes. */
  get hash(): { seed: number[]; version: number; unsigned: boolean } {
    return {
      seed: [0, 4, 8, 12].map((at) => this.raw.readUInt32LE(0xec + at)),
      version: this.raw.readUInt8(0xfc),
      unsigned: (this.raw.readUInt32LE(0x160) & 2) !== 0,
    };
  }

  /** Why it can't be written to, and what to do; undefined when it can. */
  get unwritable(): string | undefined {
    return whyUnwritable(this.raw);
  }

  /** True for groups that hold a copy of the superblock and the group descriptors. */
  hasBackup(group: number): boolean {
    return this.backups?.has(group) ?? true;
  }
  /** Undefined when all groups have them. */
  private get backups(): Set<number> | undefined {
    if (this.has('compat', compat.sparseSuper2)) {
      return new Set([0, this.raw.readUInt32LE(0x24c), this.raw.readUInt32LE(0x250)]);
    }
    if (!this.has('roCompat', roCompat.sparseSuper)) {
      return undefined;
    }
    const groups = new Set([0, 1]);
    for (const base of [3, 5, 7]) {
      for (let power = base; power < this.groups; power *= base) {
        groups.add(power);
      }
    }
    return groups;
  }

  private check(): void {
    const { raw } = this;
    if (this.hasChecksums && crc32c(0xffffffff, raw, 0, checksumAt) !== raw.readUInt32LE(checksumAt)) {
      throw damaged('the checksum of its superblock is wrong');
    }
    const bits = this.blockSize * 8;
    const isSound =
      this.firstDataBlock === (this.blockSize === 1024 ? 1 : 0) &&
      this.blocksPerGroup > 0 &&
      this.blocksPerGroup <= bits &&
      this.inodesPerGroup > 0 &&
      this.inodesPerGroup <= bits &&
      [128, 256, 512, 1024, 2048, 4096].includes(this.inodeSize) &&
      this.inodeSize <= this.blockSize &&
      [32, 64, 128, 256, 512, 1024].includes(this.descriptorSize) &&
      this.firstInode >= 11 &&
      this.blocks > this.firstDataBlock &&
      this.inodes === this.groups * this.inodesPerGroup;
    if (!isSound) {
      throw damaged('the numbers in its superblock contradict each other');
    }
  }
}

/** Writes what a transaction changed. */
export function sealSuperblock(raw: Buffer, free: { blocks: number; inodes: number }): void {
  const has64 = (raw.readUInt32LE(0x60) & incompat.bit64) !== 0;
  raw.writeUInt32LE(free.blocks % 2 ** 32, 0xc);
  if (has64) {
    raw.writeUInt32LE(Math.floor(free.blocks / 2 ** 32), 0x158);
  }
  raw.writeUInt32LE(free.inodes, 0x10);
  raw.writeUInt32LE(Math.floor(Date.now() / 1000) >>> 0, 0x30);
  if ((raw.readUInt32LE(0x64) & roCompat.metadataChecksum) !== 0) {
    raw.writeUInt32LE(crc32c(0xffffffff, raw, 0, checksumAt), checksumAt);
  }
}
