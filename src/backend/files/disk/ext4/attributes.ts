/** Extended attributes (Documentation/filesystems/ext4/attributes.rst), read from the inode itself and from its block. */
import { damaged } from '../disk-error';
import type { BlockDevice } from './block-device';
import type { Inode } from './inode';

const magic = 0xea020000;
const oldInodeSize = 128;
const blockHeader = 32;
const entrySize = 16;
/** What a name begins with, by the index that stands for it. */
const prefixes: Readonly<Record<number, string>> = {
  1: 'user.',
  2: 'system.posix_acl_access',
  3: 'system.posix_acl_default',
  4: 'trusted.',
  6: 'security.',
  7: 'system.',
};
const accessList = new Set([2, 3]);

/** By their full names. Values that are in inodes of their own are left out. */
export function attributesOf(device: BlockDevice, inode: Inode): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  const { raw } = inode;
  if (raw.length > oldInodeSize) {
    const own = raw.subarray(oldInodeSize + raw.readUInt16LE(oldInodeSize));
    if (own.length >= 4 && own.readUInt32LE(0) === magic) {
      readEntries(own.subarray(4), 0, inode, found);
    }
  }
  if (inode.attributes !== 0) {
    const block = device.read(inode.attributes);
    if (block.readUInt32LE(0) !== magic) {
      throw broken(inode);
    }
    readEntries(block, blockHeader, inode, found);
  }
  return found;
}

/** Values lie somewhere in `area`, where entries begin at `start` and end with zeros. */
function readEntries(area: Buffer, start: number, inode: Inode, found: Map<string, Buffer>): void {
  for (let at = start; at + 4 <= area.length && area.readUInt32LE(at) !== 0;) {
    if (at + entrySize > area.length) {
      throw broken(inode);
    }
    const nameLength = area.readUInt8(at);
    const index = area.readUInt8(at + 1);
    const offset = area.readUInt16LE(at + 2);
    const inOther = area.readUInt32LE(at + 4) !== 0;
    const size = area.readUInt32LE(at + 8);
    const prefix = prefixes[index];
    if (at + entrySize + nameLength > area.length || (!inOther && offset + size > area.length)) {
      throw broken(inode);
    }
    if (prefix !== undefined && !inOther) {
      const name = area.toString('utf8', at + entrySize, at + entrySize + nameLength);
      const value = Buffer.from(area.subarray(offset, offset + size));
      found.set(`${prefix}${name}`, accessList.has(index) ? asTold(value, inode) : value);
    }
    at += entrySize + Math.ceil(nameLength / 4) * 4;
  }
}

/** An access control list in the form that getxattr(2) answers (linux/posix_acl_xattr.h): all entries have an id. */
function asTold(onDisk: Buffer, inode: Inode): Buffer {
  const parts: Uint8Array[] = [Buffer.from([2, 0, 0, 0])];
  for (let at = 4; at + 4 <= onDisk.length;) {
    const tag = onDisk.readUInt16LE(at);
    // ACL_USER and ACL_GROUP.
    const hasId = tag === 0x02 || tag === 0x08;
    if (hasId && at + 8 > onDisk.length) {
      throw broken(inode);
    }
    const id = hasId ? onDisk.subarray(at + 4, at + 8) : Buffer.alloc(4, 0xff);
    parts.push(onDisk.subarray(at, at + 4), id);
    at += hasId ? 8 : 4;
  }
  return Buffer.concat(parts);
}

function broken(inode: Inode): Error {
  return damaged(`the attributes of inode ${inode.number} can't be read`);
}
