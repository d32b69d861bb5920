/** The index of a large directory: hashes of names and the blocks they are in, in one or two levels. */
import { damaged } from '../disk-error';
import { crc32c } from './crc';

/** Version, length and depth are after the entries `.` and `..`. */
const rootInfoAt = 24;
const rootEntriesAt = 32;
const nodeEntriesAt = 8;
const halfMd4 = 1;

export interface IndexEntry {
  /** Of the first name in the block; 0 for the very first. Odd: it goes on from the block before. */
  hash: number;
  /** From the start of the directory. */
  block: number;
}

export interface IndexFormat {
  blockSize: number;
  hasChecksums: boolean;
}

function limitOf(format: IndexFormat, entriesAt: number): number {
  return Math.floor((format.blockSize - entriesAt - (format.hasChecksums ? 8 : 0)) / 8);
}

/** True for a block that is neither root nor leaf. */
export function isIndexNode(block: Buffer): boolean {
  return block.readUInt32LE(0) === 0 && block.readUInt16LE(4) === block.length;
}

/** The block of the last entry that is not above the hash. */
function pick(block: Buffer, entriesAt: number, hash: number): number {
  const count = block.readUInt16LE(entriesAt + 2);
  if (count < 1 || entriesAt + count * 8 > block.length) {
    throw damaged('the index of a folder makes no sense');
  }
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (block.readUInt32LE(entriesAt + middle * 8) <= hash) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return block.readUInt32LE(entriesAt + low * 8 + 4) & 0x0fffffff;
}

/** The block that a name of this hash belongs into; undefined when the index is of a kind we don't write. */
export function leafFor(root: Buffer, hash: number, read: (block: number) => Buffer): number | undefined {
  const levels = root.readUInt8(rootInfoAt + 6);
  if (root.readUInt8(rootInfoAt + 4) !== halfMd4 || root.readUInt8(rootInfoAt + 5) !== 8 || levels > 1) {
    return undefined;
  }
  const block = pick(root, rootEntriesAt, hash);
  return levels === 0 ? block : pick(read(block), nodeEntriesAt, hash);
}

function writeEntries(block: Buffer, entriesAt: number, limit: number, entries: readonly IndexEntry[]): void {
  entries.forEach((entry, index) => {
    block.writeUInt32LE(entry.hash, entriesAt + index * 8);
    block.writeUInt32LE(entry.block, entriesAt + index * 8 + 4);
  });
  block.writeUInt16LE(limit, entriesAt);
  block.writeUInt16LE(entries.length, entriesAt + 2);
}

/** Writes the checksum of a block of an index. Throws `internal` for a block that is no index. */
export function sealIndex(block: Buffer, seed: number, isRoot: boolean): void {
  const entriesAt = isRoot ? rootEntriesAt : nodeEntriesAt;
  const tail = entriesAt + block.readUInt16LE(entriesAt) * 8;
  const used = entriesAt + block.readUInt16LE(entriesAt + 2) * 8;
  if (tail + 8 > block.length || used > tail) {
    throw damaged('the index of a folder makes no sense');
  }
  block.fill(0, tail, tail + 8);
  block.writeUInt32LE(checksum(block, seed, used, tail), tail + 4);
}

/** Whether the checksum of a block of an index fits it. */
export function isIndexSealed(block: Buffer, seed: number, isRoot: boolean): boolean {
  const entriesAt = isRoot ? rootEntriesAt : nodeEntriesAt;
  const tail = entriesAt + block.readUInt16LE(entriesAt) * 8;
  const used = entriesAt + block.readUInt16LE(entriesAt + 2) * 8;
  return (
    tail + 8 <= block.length &&
    used <= tail &&
    checksum(block, seed, used, tail) === block.readUInt32LE(tail + 4)
  );
}

function checksum(block: Buffer, seed: number, used: number, tail: number): number {
  const reserved = crc32c(crc32c(seed, block, 0, used), block, tail, tail + 4);
  return crc32c(reserved, Buffer.alloc(4));
}

/** How many blocks an index of so many leaves takes, the root included; undefined: too many for two levels. */
export function indexBlocks(leaves: number, format: IndexFormat): number | undefined {
  const inRoot = limitOf(format, rootEntriesAt);
  if (leaves <= inRoot) {
    return 1;
  }
  const nodes = Math.ceil(leaves / limitOf(format, nodeEntriesAt));
  return nodes <= inRoot ? 1 + nodes : undefined;
}

/**
 * Writes the index over leaves, which follow its own blocks. `blocks` are its own, the root with `.` and `..` in it.
 */
export function writeIndex(blocks: readonly Buffer[], hashes: readonly number[], format: IndexFormat): void {
  const [root, ...nodes] = blocks;
  if (root === undefined) {
    return;
  }
  const leaves = hashes.map((hash, index) => ({ hash, block: blocks.length + index }));
  root.fill(0, rootInfoAt);
  root.writeUInt8(halfMd4, rootInfoAt + 4);
  root.writeUInt8(8, rootInfoAt + 5);
  root.writeUInt8(nodes.length === 0 ? 0 : 1, rootInfoAt + 6);
  if (nodes.length === 0) {
    writeEntries(root, rootEntriesAt, limitOf(format, rootEntriesAt), leaves);
    return;
  }
  const limit = limitOf(format, nodeEntriesAt);
  const above = nodes.map((node, index): IndexEntry => {
    const some = leaves.slice(index * limit, (index + 1) * limit);
    node.fill(0);
    node.writeUInt16LE(format.blockSize, 4);
    writeEntries(node, nodeEntriesAt, limit, some);
    return { hash: some[0]?.hash ?? 0, block: index + 1 };
  });
  writeEntries(root, rootEntriesAt, limitOf(format, rootEntriesAt), above);
}
