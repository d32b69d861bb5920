/** Archives that the kernel unpacks as its first root: cpio's "newc" (Documentation/driver-api/early-userspace). */

export interface CpioEntry {
  /** Without a leading slash; after those of its folders. */
  name: string;
  /** With the type, e.g. 0o100755 for a program, 0o40755 for a folder. */
  mode: number;
  content?: Buffer;
}

const trailer = 'TRAILER!!!';

/** Everything belongs to root and is of no time, so that equal content makes equal archives. */
export function cpioOf(entries: readonly CpioEntry[]): Buffer {
  const parts = [...entries, { name: trailer, mode: 0 }].flatMap((entry, index) => member(entry, index + 1));
  return Buffer.concat(parts);
}

function member({ name, mode, content = Buffer.alloc(0) }: CpioEntry, inode: number): Buffer[] {
  const path = Buffer.from(`${name}\0`, 'utf8');
  const links = (mode & 0o170000) === 0o40000 ? 2 : 1;
  // inode, mode, uid, gid, links, time, size, device (2), device of a device file (2), length of the name, checksum.
  const fields = [inode, mode, 0, 0, links, 0, content.length, 0, 0, 0, 0, path.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
  return [header, path, padding(header.length + path.length), content, padding(content.length)];
}

function padding(length: number): Buffer {
  return Buffer.alloc((4 - (length % 4)) % 4);
}
