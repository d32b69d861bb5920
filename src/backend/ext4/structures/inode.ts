/** Inodes (Documentation/filesystems/ext4/inodes.rst): fields by name, times in microseconds. */
import { damaged } from '../disk-error';
import type { BlockDevice } from '../block-device';
import { crc32c, crc32cOf } from './crc';
import type { Groups } from './groups';
import type { Superblock } from './superblock';

export const fileType = {
  mask: 0o170000,
  fifo: 0o010000,
  character: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  regular: 0o100000,
  symlink: 0o120000,
};

/** Numbers of devices that the kernel has (linux/kdev_t.h). */
export const maxMajor = 0xfff;
export const maxMinor = 0xfffff;

const entryTypes: Readonly<Record<number, number>> = {
  [fileType.regular]: 1,
  [fileType.directory]: 2,
  [fileType.character]: 3,
  [fileType.block]: 4,
  [fileType.fifo]: 5,
  0o140000: 6,
  [fileType.symlink]: 7,
};

export const inodeFlag = {
  indexed: 0x1000,
  hugeFile: 0x40000,
  extents: 0x80000,
  inlineData: 0x10000000,
  /** compressed, encrypted, in an inode of extended attributes, verity: not to be understood without more. */
  foreign: 0x4 | 0x800 | 0x100000 | 0x200000,
};

const timeAt = { atime: [0x8, 0x8c], ctime: [0xc, 0x84], mtime: [0x10, 0x88], crtime: [0x90, 0x94] } as const;
export type Time = keyof typeof timeAt;

/** One inode: a copy, which counts when it is written to its table. */
export class Inode {
  private knownSeed: number | undefined;

  constructor(
    readonly number: number,
    readonly raw: Buffer,
    private readonly superblock: Superblock,
  ) {}

  /** Of its checksums and those of its blocks. */
  get seed(): number {
    return (this.knownSeed ??= this.superblock.hasChecksums
      ? crc32c(crc32cOf(this.superblock.seed, this.number), this.raw, 0x64, 0x68)
      : 0);
  }

  get mode(): number {
    return this.raw.readUInt16LE(0);
  }
  set mode(value: number) {
    this.raw.writeUInt16LE(value, 0);
  }
  get type(): number {
    return this.mode & fileType.mask;
  }
  /** What a directory entry says about it. */
  get entryType(): number {
    return entryTypes[this.type] ?? 0;
  }
  get isDirectory(): boolean {
    return this.type === fileType.directory;
  }
  get uid(): number {
    return this.raw.readUInt16LE(2) + this.raw.readUInt16LE(0x78) * 65536;
  }
  get gid(): number {
    return this.raw.readUInt16LE(0x18) + this.raw.readUInt16LE(0x7a) * 65536;
  }
  setOwner(uid: number, gid: number): void {
    this.raw.writeUInt16LE(uid & 0xffff, 2);
    this.raw.writeUInt16LE((uid >>> 16) & 0xffff, 0x78);
    this.raw.writeUInt16LE(gid & 0xffff, 0x18);
    this.raw.writeUInt16LE((gid >>> 16) & 0xffff, 0x7a);
  }
  /** Bytes. Throws `internal` for a size that no file can have. */
  get size(): number {
    const size = this.raw.readUInt32LE(4) + this.raw.readUInt32LE(0x6c) * 2 ** 32;
    if (size > 2 ** 44) {
      throw damaged(`inode ${this.number} has a size of ${size}`);
    }
    return size;
  }
  set size(value: number) {
    this.raw.writeUInt32LE(value % 2 ** 32, 4);
    this.raw.writeUInt32LE(Math.floor(value / 2 ** 32), 0x6c);
  }
  get links(): number {
    return this.raw.readUInt16LE(0x1a);
  }
  set links(value: number) {
    this.raw.writeUInt16LE(value, 0x1a);
  }
  get flags(): number {
    return this.raw.readUInt32LE(0x20);
  }
  set flags(value: number) {
    this.raw.writeUInt32LE(value >>> 0, 0x20);
  }
  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }
  /** In units of 512 bytes. */
  get sectors(): number {
    return this.raw.readUInt32LE(0x1c) + this.raw.readUInt16LE(0x74) * 2 ** 32;
  }
  setBlocks(blocks: number, blockSize: number): void {
    const sectors = blocks * (blockSize / 512);
    this.flags &= ~inodeFlag.hugeFile;
    this.raw.writeUInt32LE(sectors % 2 ** 32, 0x1c);
    this.raw.writeUInt16LE(Math.floor(sectors / 2 ** 32), 0x74);
  }
  /** The root of its extents, its block numbers or the text of a short link. */
  get body(): Buffer {
    return this.raw.subarray(0x28, 0x64);
  }
  /** Of a device: in the old form where that holds it, else in the new one. */
  get device(): { major: number; minor: number } {
    const old = this.body.readUInt32LE(0);
    const now = this.body.readUInt32LE(4);
    return old === 0
      ? { major: (now >>> 8) & 0xfff, minor: (now & 0xff) | ((now >>> 12) & 0xfff00) }
      : { major: (old >>> 8) & 0xff, minor: old & 0xff };
  }
  set device({ major, minor }: { major: number; minor: number }) {
    if (major < 256 && minor < 256) {
      this.body.writeUInt32LE((major << 8) | minor, 0);
    } else {
      this.body.writeUInt32LE(((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0, 4);
    }
  }
  /** The block of its extended attributes; 0: none. */
  get attributes(): number {
    return this.raw.readUInt32LE(0x68) + this.raw.readUInt16LE(0x76) * 2 ** 32;
  }
  set attributes(block: number) {
    this.raw.writeUInt32LE(block % 2 ** 32, 0x68);
    this.raw.writeUInt16LE(Math.floor(block / 2 ** 32), 0x76);
  }

  private get extraSize(): number {
    return this.raw.length > 128 ? this.raw.readUInt16LE(0x80) : 0;
  }

  time(which: Time): number {
    const [at, extraAt] = timeAt[which];
    if (!this.holds(at)) {
      return 0;
    }
    const extra = this.holds(extraAt) ? this.raw.readUInt32LE(extraAt) : 0;
    const seconds = this.raw.readInt32LE(at) + (extra & 3) * 2 ** 32;
    return seconds * 1e6 + Math.floor((extra >>> 2) / 1000);
  }

  /** The nanoseconds below the microseconds of `time`. */
  timeRest(which: Time): number {
    const [at, extraAt] = timeAt[which];
    return this.holds(at) && this.holds(extraAt) ? (this.raw.readUInt32LE(extraAt) >>> 2) % 1000 : 0;
  }

  /** Without, what changes twice within a second has one time. */
  get hasFineTimes(): boolean {
    return this.holds(timeAt.ctime[1]);
  }

  /** `rest`: nanoseconds below the microseconds. */
  setTime(which: Time, microseconds: number, rest = 0): void {
    const [at, extraAt] = timeAt[which];
    const seconds = Math.min(Math.max(Math.floor(microseconds / 1e6), -(2 ** 31)), 2 ** 34 - 2 ** 31 - 1);
    if (this.holds(at)) {
      this.raw.writeInt32LE(seconds | 0, at);
    }
    if (this.holds(extraAt)) {
      const epoch = Math.floor((seconds - (seconds | 0)) / 2 ** 32) & 3;
      const nanoseconds = Math.floor(microseconds - seconds * 1e6) * 1000 + rest;
      const sound = Math.min(Math.max(0, nanoseconds), 999_999_999);
      this.raw.writeUInt32LE(((sound << 2) | epoch) >>> 0, extraAt);
    }
  }

  private holds(at: number): boolean {
    return at < 128 || at + 4 <= 128 + this.extraSize;
  }
}

const zeroField = Buffer.alloc(2);

/** Of an inode's bytes, its own two fields taken as zero. */
function checksumOf({ raw, seed }: Inode): number {
  const low = crc32c(crc32c(seed, raw, 0, 0x7c), zeroField);
  return hasHighChecksum(raw)
    ? crc32c(crc32c(crc32c(low, raw, 0x7e, 0x82), zeroField), raw, 0x84)
    : crc32c(low, raw, 0x7e);
}

function hasHighChecksum(raw: Buffer): boolean {
  return raw.length > 128 && raw.readUInt16LE(0x80) >= 4;
}

/** The inodes of a file system, read and written by their numbers, which begin with 1. */
export class InodeTable {
  /** By blocks as they are in memory, which a change replaces: what of them was checked. */
  private readonly checked = new WeakMap<Buffer, Uint8Array>();
  /** Where the inodes of each group begin. */
  private readonly tables: number[] = [];

  constructor(
    private readonly device: BlockDevice,
    private readonly superblock: Superblock,
    private readonly groups: Groups,
  ) {}

  /** A copy: changes last when it is written. */
  read(number: number): Inode {
    const [block, offset] = this.locate(number);
    const { inodeSize } = this.superblock;
    const raw = Buffer.allocUnsafe(inodeSize);
    const content = this.device.read(block);
    content.copy(raw, 0, offset, offset + inodeSize);
    return this.believed(new Inode(number, raw, this.superblock), content, offset);
  }

  /** As it is now, not a copy: to be looked at before anything is changed, and not to be changed itself. */
  view(number: number): Inode {
    const [block, offset] = this.locate(number);
    const content = this.device.read(block);
    const raw = content.subarray(offset, offset + this.superblock.inodeSize);
    return this.believed(new Inode(number, raw, this.superblock), content, offset);
  }

  /** Checked, once for each state of its block. */
  private believed(inode: Inode, content: Buffer, offset: number): Inode {
    const checked = this.checkedIn(content);
    const index = offset / this.superblock.inodeSize;
    if (checked[index] === 0) {
      this.check(inode);
      checked[index] = 1;
    }
    return inode;
  }

  private checkedIn(content: Buffer): Uint8Array {
    let checked = this.checked.get(content);
    if (checked === undefined) {
      checked = new Uint8Array(content.length / this.superblock.inodeSize);
      this.checked.set(content, checked);
    }
    return checked;
  }

  private check(inode: Inode): void {
    const { number, raw } = inode;
    if (inode.links === 0 || inode.mode === 0) {
      throw damaged(`inode ${number} is named but not in use`);
    }
    if (raw.length > 128 && raw.readUInt16LE(0x80) > raw.length - 128) {
      throw damaged(`inode ${number} has an impossible size`);
    }
    if (this.superblock.hasChecksums) {
      const crc = checksumOf(inode);
      const isRight =
        raw.readUInt16LE(0x7c) === (crc & 0xffff) &&
        (!hasHighChecksum(raw) || raw.readUInt16LE(0x82) === crc >>> 16);
      if (!isRight) {
        throw damaged(`the checksum of inode ${number} is wrong`);
      }
    }
  }

  /** An empty one, not written yet. */
  blank(number: number): Inode {
    // A part of the buffer that small ones share.
    const raw = Buffer.allocUnsafe(this.superblock.inodeSize).fill(0);
    raw.writeUInt32LE(Math.floor(Math.random() * 2 ** 32), 0x64);
    if (raw.length > 128) {
      raw.writeUInt16LE(32, 0x80);
    }
    return new Inode(number, raw, this.superblock);
  }

  write(inode: Inode): void {
    const [block, offset] = this.locate(inode.number);
    if (this.superblock.hasChecksums) {
      const crc = checksumOf(inode);
      inode.raw.writeUInt16LE(crc & 0xffff, 0x7c);
      if (hasHighChecksum(inode.raw)) {
        inode.raw.writeUInt16LE(crc >>> 16, 0x82);
      }
    }
    const content = this.device.edit(block);
    content.set(inode.raw, offset);
    // Its checksum was made just now; one that can't be is found when it is read.
    this.checkedIn(content)[offset / this.superblock.inodeSize] = inode.links > 0 && inode.mode > 0 ? 1 : 0;
  }

  erase(number: number): void {
    const [block, offset] = this.locate(number);
    const { inodeSize } = this.superblock;
    const content = this.device.edit(block);
    content.fill(0, offset, offset + inodeSize);
    this.checkedIn(content)[offset / inodeSize] = 0;
  }

  private locate(number: number): [block: number, offset: number] {
    if (!(number >= 1 && number <= this.superblock.inodes)) {
      throw damaged(`there is no inode ${number}`);
    }
    const { inodesPerGroup, inodeSize } = this.superblock;
    const group = Math.floor((number - 1) / inodesPerGroup);
    const at = ((number - 1) % inodesPerGroup) * inodeSize;
    const { blockSize } = this.device;
    const table = (this.tables[group] ??= this.groups.place(group, 'inodeTable'));
    return [table + Math.floor(at / blockSize), at % blockSize];
  }
}
