/** Where the blocks of a file are: extents (Documentation/filesystems/ext4/ifork.rst) or the older block numbers. */
import { damaged } from '../disk-error';
import type { BlockDevice } from '../block-device';
import { crc32c } from './crc';
import { inodeFlag, type Inode } from './inode';

export interface Extent {
  /** In blocks from the start of the file. */
  logical: number;
  physical: number;
  count: number;
  /** false: allocated, but it reads as zeros. */
  written: boolean;
}

export interface Mapping {
  extents: Extent[];
  /** Blocks that hold the mapping itself. */
  own: number[];
}

const extentMagic = 0xf30a;
const entrySize = 12;
const inRoot = 4;
const unwrittenFrom = 32768;
export const maxExtentBlocks = 32768;
const deepest = 5;

/** Gathers extents, and refuses what a sound file system can't have. */
class Walk {
  readonly mapping: Mapping = { extents: [], own: [] };
  private readonly seen = new Set<number>();
  private end = 0;

  constructor(
    private readonly device: BlockDevice,
    private readonly inode: Inode,
    private readonly hasChecksums: boolean,
  ) {}

  add(extent: Extent): void {
    const isOnDisk = extent.physical > 0 && extent.physical + extent.count <= this.device.blocks;
    if (extent.logical < this.end || extent.count <= 0 || !isOnDisk) {
      throw this.wrong();
    }
    this.end = extent.logical + extent.count;
    const last = this.mapping.extents.at(-1);
    const isNext =
      last?.written === extent.written &&
      last.logical + last.count === extent.logical &&
      last.physical + last.count === extent.physical;
    if (last !== undefined && isNext) {
      last.count += extent.count;
    } else {
      this.mapping.extents.push(extent);
    }
  }

  extents(node: Buffer, capacity: number, depth: number): void {
    const entries = node.readUInt16LE(2);
    const isSound =
      node.readUInt16LE(0) === extentMagic &&
      node.readUInt16LE(4) <= capacity &&
      entries <= node.readUInt16LE(4) &&
      node.readUInt16LE(6) === depth;
    if (!isSound) {
      throw this.wrong();
    }
    for (let at = entrySize; at < entrySize * (entries + 1); at += entrySize) {
      if (depth === 0) {
        this.add(extentAt(node, at));
      } else {
        const block = node.readUInt32LE(at + 4) + node.readUInt16LE(at + 8) * 2 ** 32;
        this.extents(this.enter(block, true), capacityOf(this.device.blockSize), depth - 1);
      }
    }
  }

  /** A table of block numbers, `depth` tables above the data. */
  numbers(table: Buffer, count: number, depth: number, first: number): void {
    const perTable = this.device.blockSize / 4;
    const span = perTable ** depth;
    for (let index = 0; index < count; index++) {
      const block = table.readUInt32LE(index * 4);
      const logical = first + index * span;
      if (block !== 0 && depth === 0) {
        this.add({ logical, physical: block, count: 1, written: true });
      } else if (block !== 0) {
        this.numbers(this.enter(block, false), perTable, depth - 1, logical);
      }
    }
  }

  private enter(block: number, isExtents: boolean): Buffer {
    if (this.seen.has(block)) {
      throw this.wrong();
    }
    this.seen.add(block);
    this.mapping.own.push(block);
    const node = this.device.read(block);
    if (isExtents && this.hasChecksums) {
      const at = tailOf(node.readUInt16LE(4));
      if (at + 4 > node.length || crc32c(this.inode.seed, node, 0, at) !== node.readUInt32LE(at)) {
        throw this.wrong();
      }
    }
    return node;
  }

  wrong(): Error {
    return damaged(`the map of the blocks of inode ${this.inode.number} makes no sense`);
  }
}

function extentAt(node: Buffer, at: number): Extent {
  const length = node.readUInt16LE(at + 4);
  const written = length <= unwrittenFrom;
  return {
    logical: node.readUInt32LE(at),
    physical: node.readUInt32LE(at + 8) + node.readUInt16LE(at + 6) * 2 ** 32,
    count: written ? length : length - unwrittenFrom,
    written,
  };
}

function capacityOf(blockSize: number): number {
  return Math.floor((blockSize - entrySize) / entrySize);
}

function tailOf(capacity: number): number {
  return entrySize * (capacity + 1);
}

/** The mapping of an inode, of whichever form. Throws a `DiskError` for one that is damaged. */
export function readMapping(device: BlockDevice, inode: Inode, hasChecksums: boolean): Mapping {
  const walk = new Walk(device, inode, hasChecksums);
  if (inode.has(inodeFlag.inlineData | inodeFlag.foreign)) {
    throw damaged(`inode ${inode.number} is kept in a way that Berth can't read`);
  }
  const { body } = inode;
  if (inode.has(inodeFlag.extents)) {
    const depth = body.readUInt16LE(6);
    if (depth > deepest) {
      throw walk.wrong();
    }
    walk.extents(body, inRoot, depth);
    return walk.mapping;
  }
  const perTable = device.blockSize / 4;
  walk.numbers(body, 12, 0, 0);
  let first = 12;
  for (const depth of [1, 2, 3]) {
    walk.numbers(body.subarray(44 + depth * 4), 1, depth, first);
    first += perTable ** depth;
  }
  return walk.mapping;
}

export interface Tables {
  take(): number;
  free(block: number): void;
}

function writeNode(node: Buffer, capacity: number, depth: number, entries: readonly Buffer[]): void {
  node.writeUInt16LE(extentMagic, 0);
  node.writeUInt16LE(entries.length, 2);
  node.writeUInt16LE(capacity, 4);
  node.writeUInt16LE(depth, 6);
  entries.forEach((entry, index) => entry.copy(node, entrySize * (index + 1)));
}

function leafEntry(extent: Extent): Buffer {
  const entry = Buffer.allocUnsafe(entrySize);
  entry.writeUInt32LE(extent.logical, 0);
  entry.writeUInt16LE(extent.count + (extent.written ? 0 : unwrittenFrom), 4);
  entry.writeUInt16LE(Math.floor(extent.physical / 2 ** 32), 6);
  entry.writeUInt32LE(extent.physical % 2 ** 32, 8);
  return entry;
}

function indexEntry(child: Buffer, block: number): Buffer {
  const entry = Buffer.alloc(entrySize);
  entry.writeUInt32LE(child.readUInt32LE(0), 0);
  entry.writeUInt32LE(block % 2 ** 32, 4);
  entry.writeUInt16LE(Math.floor(block / 2 ** 32), 8);
  return entry;
}

/** No longer than what one entry can say. */
function cut(extents: readonly Extent[]): Extent[] {
  return extents.flatMap((extent) => {
    const maxBlocks = extent.written ? maxExtentBlocks : maxExtentBlocks - 1;
    if (extent.count <= maxBlocks) {
      return extent;
    }
    return Array.from({ length: Math.ceil(extent.count / maxBlocks) }, (_, index) => ({
      ...extent,
      logical: extent.logical + index * maxBlocks,
      physical: extent.physical + index * maxBlocks,
      count: Math.min(maxBlocks, extent.count - index * maxBlocks),
    }));
  });
}

/**
 * Gives an inode these extents, in a tree that is built anew; the blocks of the old tree are freed. Answers how many
 * blocks the new one takes. The inode is not written.
 */
export function writeMapping(
  device: BlockDevice,
  inode: Inode,
  extents: readonly Extent[],
  old: readonly number[],
  tables: Tables,
): number {
  for (const block of old) {
    tables.free(block);
  }
  const capacity = capacityOf(device.blockSize);
  let entries = cut(extents).map(leafEntry);
  let depth = 0;
  let blocks = 0;
  for (; entries.length > inRoot; depth++) {
    const above: Buffer[] = [];
    for (let at = 0; at < entries.length; at += capacity) {
      const some = entries.slice(at, at + capacity);
      const block = tables.take();
      const node = device.fresh(block);
      writeNode(node, capacity, depth, some);
      const tail = tailOf(capacity);
      node.writeUInt32LE(crc32c(inode.seed, node, 0, tail), tail);
      above.push(indexEntry(some[0] ?? Buffer.alloc(entrySize), block));
      blocks++;
    }
    entries = above;
  }
  inode.body.fill(0);
  writeNode(inode.body, inRoot, depth, entries);
  inode.flags |= inodeFlag.extents;
  return blocks;
}
