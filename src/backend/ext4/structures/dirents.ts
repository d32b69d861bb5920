/** The entries in one block of a directory (Documentation/filesystems/ext4/directory.rst). */
import { decodeName } from '../../machine/file-names';
import { damaged } from '../disk-error';
import { crc32c } from './crc';

export interface Dirent {
  name: string;
  inode: number;
  /** As in the entry: 0 where the file system does not say. */
  type: number;
  offset: number;
  length: number;
}

const headerSize = 8;
/** The last entry of a block with a checksum: 12 bytes that look like a removed entry. */
const tailSize = 12;
const tailType = 0xde;

/** What an entry for a name of so many bytes takes. */
export function direntSize(nameLength: number): number {
  return headerSize + ((nameLength + 3) & ~3);
}

/** Room for entries in a block. */
export function usableSize(blockSize: number, hasChecksums: boolean): number {
  return blockSize - (hasChecksums ? tailSize : 0);
}

/** `used`: what it takes of its length; 0 for a removed one. */
type Visit = (offset: number, length: number, nameLength: number, used: number) => boolean;

/**
 * Calls back with the place of every entry up to `end`, removed ones too, until that answers true, and refuses what would
 * lead out of the block. Every change of a folder walks through half a block: its bytes are read one by one, which takes
 * half as long as Buffer's checked reads.
 */
function walk(block: Buffer, end: number, visit: Visit): void {
  const byte = (at: number): number => block[at] as number;
  for (let offset = 0; offset + headerSize <= end;) {
    const length = byte(offset + 4) | (byte(offset + 5) << 8);
    const nameLength = byte(offset + 6);
    const isInUse = (byte(offset) | byte(offset + 1) | byte(offset + 2) | byte(offset + 3)) !== 0;
    const used = isInUse ? direntSize(nameLength) : 0;
    if (length < headerSize || (length & 3) !== 0 || offset + length > end || used > length) {
      throw damaged('an entry of a folder is larger than the folder');
    }
    if (visit(offset, length, nameLength, used)) {
      return;
    }
    offset += length;
  }
}

function nameAt(block: Buffer, offset: number, nameLength: number): string {
  const start = offset + headerSize;
  let isPlain = nameLength > 0;
  for (let at = start; at < start + nameLength; at++) {
    const byte = block[at] ?? 0;
    if (byte === 0 || byte === 0x2f) {
      throw damaged('a folder holds a name that no file can have');
    }
    isPlain &&= byte < 0x80;
  }
  if (nameLength === 0) {
    throw damaged('a folder holds an empty name');
  }
  return isPlain
    ? block.toString('latin1', start, start + nameLength)
    : decodeName(block.subarray(start, start + nameLength));
}

/** The entries in use. */
export function readDirents(block: Buffer): Dirent[] {
  const found: Dirent[] = [];
  walk(block, block.length, (offset, length, nameLength, used) => {
    if (used > 0) {
      found.push({
        name: nameAt(block, offset, nameLength),
        inode: block.readUInt32LE(offset),
        type: block.readUInt8(offset + 7),
        offset,
        length,
      });
    }
    return false;
  });
  return found;
}

function write(
  block: Buffer,
  offset: number,
  length: number,
  inode: number,
  name: Buffer,
  type: number,
): void {
  block.writeUInt32LE(inode, offset);
  block.writeUInt16LE(length, offset + 4);
  block.writeUInt8(name.length, offset + 6);
  block.writeUInt8(type, offset + 7);
  name.copy(block, offset + headerSize);
}

/** Puts an entry where it fits; false when it fits nowhere. */
export function insertDirent(
  block: Buffer,
  usable: number,
  name: Buffer,
  inode: number,
  type: number,
): boolean {
  const needed = direntSize(name.length);
  let isDone = false;
  walk(block, usable, (offset, length, _nameLength, used) => {
    if (length - used < needed) {
      return false;
    }
    if (used > 0) {
      block.writeUInt16LE(used, offset + 4);
    }
    write(block, offset + used, length - used, inode, name, type);
    isDone = true;
    return true;
  });
  return isDone;
}

/** Names of a folder often begin alike: compared from their ends. */
function isAt(block: Buffer, start: number, name: Buffer): boolean {
  let left = name.length;
  while (left > 0 && block[start + left - 1] === name[left - 1]) {
    left--;
  }
  return left === 0;
}

function find(block: Buffer, usable: number, name: Buffer): { offset: number; before: number } | undefined {
  let before = -1;
  let found: { offset: number; before: number } | undefined;
  walk(block, usable, (offset, _length, nameLength, used) => {
    const isIt = used > 0 && nameLength === name.length && isAt(block, offset + headerSize, name);
    found = isIt ? { offset, before } : undefined;
    before = offset;
    return isIt;
  });
  return found;
}

/** false: it is not in this block. */
export function removeDirent(block: Buffer, usable: number, name: Buffer): boolean {
  const place = find(block, usable, name);
  if (place === undefined) {
    return false;
  }
  const length = block.readUInt16LE(place.offset + 4);
  if (place.before < 0) {
    block.fill(0, place.offset + 6, place.offset + length);
    block.writeUInt32LE(0, place.offset);
  } else {
    block.writeUInt16LE(block.readUInt16LE(place.before + 4) + length, place.before + 4);
    block.fill(0, place.offset, place.offset + length);
  }
  return true;
}

/** Lets a name mean another file. */
export function changeDirent(
  block: Buffer,
  usable: number,
  name: Buffer,
  inode: number,
  type: number,
): boolean {
  const place = find(block, usable, name);
  if (place === undefined) {
    return false;
  }
  block.writeUInt32LE(inode, place.offset);
  block.writeUInt8(type, place.offset + 7);
  return true;
}

/** Fills a block with entries, the last one reaching to its end. */
export function packDirents(
  block: Buffer,
  usable: number,
  entries: readonly (readonly [Buffer, number, number])[],
): void {
  block.fill(0);
  let offset = 0;
  for (const [index, [name, inode, type]] of entries.entries()) {
    const length = index === entries.length - 1 ? usable - offset : direntSize(name.length);
    write(block, offset, length, inode, name, type);
    offset += length;
  }
  if (entries.length === 0) {
    block.writeUInt16LE(usable, 4);
  }
}

/** Writes the checksum into the tail of a block of entries. */
export function sealDirents(block: Buffer, seed: number): void {
  const tail = block.length - tailSize;
  block.fill(0, tail);
  block.writeUInt16LE(tailSize, tail + 4);
  block.writeUInt8(tailType, tail + 7);
  block.writeUInt32LE(crc32c(seed, block, 0, tail), tail + 8);
}

/** Whether the checksum of a block of entries fits it. */
export function isSealed(block: Buffer, seed: number): boolean {
  const tail = block.length - tailSize;
  return block.readUInt32LE(tail + 8) === crc32c(seed, block, 0, tail);
}
