/** The parts of a file system in an image, put together. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { damaged, DiskError } from './disk-error';
import { Allocator } from './allocator';
import { Bitmaps } from './structures/bitmaps';
import { BlockDevice } from './block-device';
import type { CommitLog } from './commit-log';
import { Directories } from './directories';
import { Groups } from './structures/groups';
import { fileType, type Inode, InodeTable } from './structures/inode';
import { InodeAttributes } from './inode-attributes';
import { InodeBlocks } from './inode-blocks';
import { sealSuperblock, Superblock, superblockOffset, superblockSize } from './structures/superblock';

export interface Attributes {
  /** Permission bits. */
  mode: number;
  uid: number;
  gid: number;
  /** Microseconds; now when left out. */
  mtime?: number | undefined;
  /** Nanoseconds below the microseconds. */
  mtimeRest?: number;
}

export class Parts {
  readonly device: BlockDevice;
  readonly inodes: InodeTable;
  readonly allocator: Allocator;
  readonly blocks: InodeBlocks;
  readonly directories: Directories;
  readonly attributes: InodeAttributes;

  constructor(
    file: number,
    readonly superblock: Superblock,
    /** Undefined: nothing may be written. */
    log: CommitLog | undefined,
  ) {
    this.device = new BlockDevice(file, superblock.blockSize, superblock.blocks, log);
    const groups = new Groups(this.device, superblock);
    this.inodes = new InodeTable(this.device, superblock, groups);
    this.allocator = new Allocator(superblock, groups, new Bitmaps(this.device, superblock, groups));
    this.blocks = new InodeBlocks(this.device, superblock, this.allocator);
    this.directories = new Directories(this.device, superblock, {
      extents: (inode) => this.blocks.mapping(inode).extents,
      resize: (inode, blocks) => this.blocks.resizeDirectory(inode, blocks),
    });
    this.attributes = new InodeAttributes(this.device, superblock, this.inodes, this.blocks, this.allocator);
  }

  /** Writes what was changed, with the checksums and counts that belong to it. */
  commit(): void {
    if (!this.device.hasChanges) {
      return;
    }
    this.allocator.seal();
    const { blockSize } = this.device;
    const block = Math.floor(superblockOffset / blockSize);
    const raw = this.device.edit(block).subarray(superblockOffset % blockSize);
    sealSuperblock(raw.subarray(0, superblockSize), {
      blocks: this.allocator.freeBlocks,
      inodes: this.allocator.freeInodes,
    });
    this.device.commit();
  }
}

/** Calls `use` with an image whose journal is empty and whose redo log is finished; closed when that throws. */
export function openImage<T>(
  path: string,
  use: (file: number, superblock: Superblock) => T,
  mode: 'r' | 'r+' = 'r+',
): T {
  const file = openSync(path, mode);
  try {
    const raw = Buffer.alloc(superblockSize);
    readSync(file, raw, 0, raw.length, superblockOffset);
    const superblock = new Superblock(raw);
    if (superblock.needsRecovery) {
      throw new DiskError('illegal_state', 'the journal of the disk was not replayed');
    }
    if (superblock.blocks * superblock.blockSize > fstatSync(file).size) {
      throw damaged('the image is shorter than the file system in it');
    }
    return use(file, superblock);
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** One that nothing refers to yet, and which is not written; near the folder that it will be in. */
export function newInode(
  { superblock, allocator, inodes }: Parts,
  parent: number,
  type: number,
  { mode, uid, gid, mtime = now(), mtimeRest }: Attributes,
): Inode {
  const near = Math.floor((parent - 1) / superblock.inodesPerGroup);
  const inode = inodes.blank(allocator.takeInode(near, type === fileType.directory));
  inode.mode = type | (mode & 0o7777);
  inode.setOwner(uid, gid);
  inode.links = 1;
  inode.setTime('atime', mtime);
  inode.setTime('mtime', mtime, mtimeRest);
  inode.setTime('ctime', now());
  inode.setTime('crtime', now());
  return inode;
}

/** Microseconds. */
export function now(): number {
  return Date.now() * 1000;
}
