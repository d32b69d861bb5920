/**
 * Extended attributes (Documentation/filesystems/ext4/attributes.rst) as they are on the disk: their names, their values
 * and the two areas that hold them, in the inode itself and in a block of its own.
 */
import { decodeName, encodeName } from '../../machine/file-names';
import { damaged } from '../disk-error';
import type { BlockDevice } from '../block-device';
import { crc32c } from './crc';
import type { Inode } from './inode';
import { aclFromDisk, aclToDisk } from './posix-acl';
import type { Superblock } from './superblock';

export const attributesMagic = 0xea020000;
export const blockHeader = 32;
const oldInodeSize = 128;
const entrySize = 16;
const maxAttributeNameBytes = 255;
/** XATTR_SIZE_MAX of linux/limits.h. */
const maxValueBytes = 65_536;

/** What a name begins with, by the index that stands for it; those of access control lists are whole names. */
const prefixes: Readonly<Record<number, string>> = {
  1: 'user.',
  2: 'system.posix_acl_access',
  3: 'system.posix_acl_default',
  4: 'trusted.',
  6: 'security.',
  7: 'system.',
};
const accessLists = new Set([2, 3]);
const writable = [1, 2, 3, 4, 6];

/** One attribute as it is on the disk; `name` is what follows the prefix. */
export interface StoredAttribute {
  index: number;
  name: Buffer;
  value: Buffer;
}

/** As it is on the disk, or why the kernel would not take it (xattr(7), fs/xattr.c). */
export function storedAttribute(name: string, value: Buffer): StoredAttribute | { problem: string } {
  const bytes = encodeName(name);
  if (bytes.length > maxAttributeNameBytes || bytes.includes(0)) {
    return { problem: 'has a name that is too long or holds a zero byte' };
  }
  if (value.length > maxValueBytes) {
    return { problem: 'is larger than 64 KiB' };
  }
  for (const index of writable) {
    const prefix = prefixes[index] ?? '';
    const isList = accessLists.has(index);
    if (isList ? name === prefix : name.startsWith(prefix) && name.length > prefix.length) {
      const onDisk = isList ? aclToDisk(value) : value;
      return onDisk === undefined
        ? { problem: 'is not an access control list' }
        : { index, name: bytes.subarray(prefix.length), value: onDisk };
    }
  }
  return { problem: 'has a name of no known kind' };
}

/** The name and value that getxattr(2) answers; undefined for an index that is not known. */
export function attributeFromDisk({ index, name, value }: StoredAttribute): [string, Buffer] | undefined {
  const prefix = prefixes[index];
  if (prefix === undefined) {
    return undefined;
  }
  const readable = accessLists.has(index) ? aclFromDisk(value) : value;
  return readable === undefined ? undefined : [`${prefix}${decodeName(name)}`, readable];
}

/**
 * By their full names. Values that are in inodes of their own are left out. Throws `internal` for an access list whose
 * value can't be found.
 */
export function attributesOf(device: BlockDevice, inode: Inode): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const stored of readAttributes(device, inode)) {
    const value = attributeFromDisk(stored);
    if (value === undefined && accessLists.has(stored.index)) {
      throw broken(inode);
    }
    if (value !== undefined) {
      found.set(...value);
    }
  }
  return found;
}

/** All of an inode: those in the inode first. Throws `internal` for a block that holds none. */
export function readAttributes(device: BlockDevice, inode: Inode): StoredAttribute[] {
  const found: StoredAttribute[] = [];
  const own = inodeArea(inode);
  if (own.length >= 4 && own.readUInt32LE(0) === attributesMagic) {
    readEntries(own.subarray(4), 0, inode, found);
  }
  if (inode.attributes !== 0) {
    const block = device.read(inode.attributes);
    if (block.readUInt32LE(0) !== attributesMagic) {
      throw broken(inode);
    }
    readEntries(block, blockHeader, inode, found);
  }
  return found;
}

/** What an inode has behind its fields; empty for those of 128 bytes. */
export function inodeArea({ raw }: Inode): Buffer {
  return raw.length > oldInodeSize
    ? raw.subarray(oldInodeSize + raw.readUInt16LE(oldInodeSize))
    : Buffer.alloc(0);
}

/** Values lie somewhere in `area`, where entries begin at `start` and end with zeros. */
function readEntries(area: Buffer, start: number, inode: Inode, found: StoredAttribute[]): void {
  for (let at = start; at + 4 <= area.length && area.readUInt32LE(at) !== 0;) {
    if (at + entrySize > area.length) {
      throw broken(inode);
    }
    const nameLength = area.readUInt8(at);
    const index = area.readUInt8(at + 1);
    const offset = area.readUInt16LE(at + 2);
    const inOther = area.readUInt32LE(at + 4) !== 0;
    const size = area.readUInt32LE(at + 8);
    if (at + entrySize + nameLength > area.length || (!inOther && offset + size > area.length)) {
      throw broken(inode);
    }
    if (!inOther) {
      const name = Buffer.from(area.subarray(at + entrySize, at + entrySize + nameLength));
      found.push({ index, name, value: Buffer.from(area.subarray(offset, offset + size)) });
    }
    at += roomOfEntry(nameLength);
  }
}

function roomOfEntry(nameLength: number): number {
  return entrySize + Math.ceil(nameLength / 4) * 4;
}

/** Bytes that an attribute takes in either area. */
export function roomOf({ name, value }: StoredAttribute): number {
  return roomOfEntry(name.length) + Math.ceil(value.length / 4) * 4;
}

/** The order that the kernel looks attributes of a block up in (ext4_xattr_find_entry). */
export function inOrder(a: StoredAttribute, b: StoredAttribute): number {
  return a.index - b.index || a.name.length - b.name.length || Buffer.compare(a.name, b.name);
}

/** Fills an area of zeros: entries from `start` on, values from its end. Answers the hashes of the entries. */
export function writeEntries(area: Buffer, start: number, attributes: readonly StoredAttribute[]): number[] {
  let at = start;
  let end = area.length - (area.length % 4);
  return attributes.map(({ index, name, value }) => {
    end -= Math.ceil(value.length / 4) * 4;
    value.copy(area, end);
    area.writeUInt8(name.length, at);
    area.writeUInt8(index, at + 1);
    area.writeUInt16LE(value.length === 0 ? 0 : end, at + 2);
    area.writeUInt32LE(value.length, at + 8);
    const hash = hashOf(name, area.subarray(end, end + Math.ceil(value.length / 4) * 4));
    area.writeUInt32LE(hash, at + 12);
    name.copy(area, at + entrySize);
    at += roomOfEntry(name.length);
    return hash;
  });
}

/** ext4_xattr_hash_entry of fs/ext4/xattr.c; `padded` is the value with zeros up to whole words. */
function hashOf(name: Buffer, padded: Buffer): number {
  let hash = 0;
  for (const byte of name) {
    hash = ((hash << 5) ^ (hash >>> 27) ^ byte) >>> 0;
  }
  for (let at = 0; at < padded.length; at += 4) {
    hash = ((hash << 16) ^ (hash >>> 16) ^ padded.readUInt32LE(at)) >>> 0;
  }
  return hash;
}

/** ext4_xattr_rehash: of a whole block; 0 where it may not be shared. */
export function hashOfBlock(hashes: readonly number[]): number {
  return hashes.includes(0) ? 0 : hashes.reduce((sum, hash) => ((sum << 16) ^ (sum >>> 16) ^ hash) >>> 0, 0);
}

function broken(inode: Inode): Error {
  return damaged(`the attributes of inode ${inode.number} can't be read`);
}

/** The checksum of a block of attributes, where the file system has checksums. */
export function sealAttributes(superblock: Superblock, place: number, block: Buffer): void {
  if (superblock.hasChecksums) {
    const where = Buffer.alloc(8);
    where.writeBigUInt64LE(BigInt(place));
    block.writeUInt32LE(0, 0x10);
    block.writeUInt32LE(crc32c(crc32c(superblock.seed, where), block), 0x10);
  }
}
