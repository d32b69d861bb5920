/**
 * Access control lists in their two forms: what getxattr(2) answers and setxattr(2) takes (linux/posix_acl_xattr.h,
 * where every entry has an id), and what ext4 keeps (fs/ext4/acl.h, where only those of named users and groups have).
 */
const xattrVersion = 2;
const diskVersion = 1;
const headerSize = 4;
const xattrEntrySize = 8;

const namedUser = 0x02;
const namedGroup = 0x08;
const otherTags = new Set([0x01, 0x04, 0x10, 0x20]);
const maxPermission = 7;

function hasId(tag: number): boolean {
  return tag === namedUser || tag === namedGroup;
}

/** Undefined for what is no list. */
export function aclToDisk(acl: Buffer): Buffer | undefined {
  const isWhole = acl.length > headerSize && (acl.length - headerSize) % xattrEntrySize === 0;
  if (!isWhole || acl.readUInt32LE(0) !== xattrVersion) {
    return undefined;
  }
  const parts: Uint8Array[] = [Buffer.from([diskVersion, 0, 0, 0])];
  for (let at = headerSize; at < acl.length; at += xattrEntrySize) {
    const tag = acl.readUInt16LE(at);
    if ((!hasId(tag) && !otherTags.has(tag)) || acl.readUInt16LE(at + 2) > maxPermission) {
      return undefined;
    }
    parts.push(acl.subarray(at, at + (hasId(tag) ? 8 : 4)));
  }
  return Buffer.concat(parts);
}

/** Undefined for what is no list. */
export function aclFromDisk(onDisk: Buffer): Buffer | undefined {
  const parts: Uint8Array[] = [Buffer.from([xattrVersion, 0, 0, 0])];
  for (let at = headerSize; at + 4 <= onDisk.length;) {
    const isLong = hasId(onDisk.readUInt16LE(at));
    if (isLong && at + 8 > onDisk.length) {
      return undefined;
    }
    parts.push(onDisk.subarray(at, at + 4), isLong ? onDisk.subarray(at + 4, at + 8) : Buffer.alloc(4, 0xff));
    at += isLong ? 8 : 4;
  }
  return Buffer.concat(parts);
}
