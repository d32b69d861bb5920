/** Headers of tar entries: POSIX ustar with pax extensions where it is too small (IEEE Std 1003.1, pax). */
import { decodeName, encodeName } from './names';

export const blockSize = 512;
const maxOctalSize = 0o77777777777;

export type TarType = 'file' | 'directory' | 'symlink' | 'link' | 'other';

export interface TarEntry {
  /** `/`-separated, as in names.ts; of folders without the slash at the end. */
  name: string;
  type: TarType;
  size: number;
  mode: number;
  uid: number;
  gid: number;
  mtimeMs: number;
  linkName: string;
  /** Of what is `other`: undefined for what no file system holds. */
  special?: { kind: 'fifo' | 'character' | 'block'; major: number; minor: number };
  /** Extended attributes by their full names, e.g. `security.capability`; their values are bytes. */
  xattrs?: ReadonlyMap<string, Buffer>;
}

const specialFlags = { character: '3', block: '4', fifo: '6' } as const;
const specialKinds: Readonly<Record<string, keyof typeof specialFlags>> = {
  3: 'character',
  4: 'block',
  6: 'fifo',
};
const xattrKey = 'SCHILY.xattr.';

const flags: Readonly<Record<TarType, string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  directory: '5',
  other: '3',
};

/** Bytes that follow a header, up to the next block. */
export function paddingOf(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

function octal(value: number, length: number): string {
  return Math.max(0, Math.trunc(value))
    .toString(8)
    .padStart(length - 1, '0');
}

function checksum(header: Buffer): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < blockSize; at++) {
    sum += at >= 148 && at < 156 ? 0 : (header[at] ?? 0);
  }
  return sum;
}

function ustar(flag: string, name: Buffer, entry: TarEntry, size: number, link: Buffer): Buffer {
  const header = Buffer.alloc(blockSize);
  name.copy(header, 0, 0, 100);
  header.write(octal(entry.mode & 0o7777, 8), 100, 'latin1');
  header.write(octal(Math.min(entry.uid, 0o7777777), 8), 108, 'latin1');
  header.write(octal(Math.min(entry.gid, 0o7777777), 8), 116, 'latin1');
  header.write(octal(Math.min(size, maxOctalSize), 12), 124, 'latin1');
  header.write(octal(Math.min(entry.mtimeMs / 1000, maxOctalSize), 12), 136, 'latin1');
  header.write(flag, 156, 'latin1');
  link.copy(header, 157, 0, 100);
  header.write('ustar\u000000', 257, 'latin1');
  if (entry.special !== undefined) {
    header.write(octal(entry.special.major, 8), 329, 'latin1');
    header.write(octal(entry.special.minor, 8), 337, 'latin1');
  }
  header.write(`${octal(checksum(header), 7)}\0 `, 148, 'latin1');
  return header;
}

/** `LENGTH key=value\n`, where LENGTH counts itself. */
function paxRecord(key: string, value: Buffer): Buffer {
  const text = Buffer.from(key);
  const rest = text.length + value.length + 3;
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  return Buffer.concat([Buffer.from(`${length} `), text, Buffer.from('='), value, Buffer.from('\n')]);
}

function paxRecords(entry: TarEntry, name: Buffer, size: number, link: Buffer): Buffer[] {
  const records: Buffer[] = [];
  if (name.length > 100) {
    records.push(paxRecord('path', name));
  }
  if (link.length > 100) {
    records.push(paxRecord('linkpath', link));
  }
  if (size > maxOctalSize) {
    records.push(paxRecord('size', Buffer.from(String(size))));
  }
  if (entry.uid > 0o7777777) {
    records.push(paxRecord('uid', Buffer.from(String(entry.uid))));
  }
  if (entry.gid > 0o7777777) {
    records.push(paxRecord('gid', Buffer.from(String(entry.gid))));
  }
  for (const [attribute, value] of entry.xattrs ?? []) {
    records.push(paxRecord(`${xattrKey}${attribute}`, value));
  }
  return records;
}

/** The header of an entry, with an extended one before it where needed. Its content and padding follow. */
export function encodeHeader(entry: TarEntry): Buffer {
  const name = encodeName(entry.type === 'directory' ? `${entry.name}/` : entry.name);
  const link = encodeName(entry.linkName);
  const size = entry.type === 'file' ? entry.size : 0;
  const flag = entry.special === undefined ? flags[entry.type] : specialFlags[entry.special.kind];
  const header = ustar(flag, name, entry, size, link);
  const pax = Buffer.concat(paxRecords(entry, name, size, link));
  if (pax.length === 0) {
    return header;
  }
  const none = Buffer.alloc(0);
  const { special: _special, ...plain } = entry;
  const before = ustar('x', Buffer.from('pax'), { ...plain, mode: 0o644 }, pax.length, none);
  return Buffer.concat([before, pax, Buffer.alloc(paddingOf(pax.length)), header]);
}

function isZero(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

function text(block: Buffer, start: number, length: number): Buffer {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
}

/** Octal, or base 256 when the first bit is set (GNU). */
function numberAt(block: Buffer, start: number, length: number): number {
  if (((block[start] ?? 0) & 0x80) !== 0) {
    let value = 0;
    for (let at = start + 1; at < start + length; at++) {
      value = value * 256 + (block[at] ?? 0);
    }
    // A first byte of 0xff: below zero, which only a time can be.
    return block[start] === 0x80 && Number.isSafeInteger(value) ? value : 0;
  }
  const value = Number.parseInt(text(block, start, length).toString('latin1').trim() || '0', 8);
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

export interface RawHeader extends TarEntry {
  flag: string;
}

const types: Readonly<Record<string, TarType>> = {
  '': 'file',
  '0': 'file',
  '7': 'file',
  '1': 'link',
  '2': 'symlink',
  '5': 'directory',
};

/** Reads one block; undefined at the end of the archive. */
export function decodeHeader(block: Buffer): RawHeader | undefined {
  if (isZero(block)) {
    return undefined;
  }
  if (numberAt(block, 148, 8) !== checksum(block)) {
    throw new Error('the tar is damaged: a header has a wrong checksum');
  }
  const flag = text(block, 156, 1).toString('latin1');
  const isUstar = text(block, 257, 6).toString('latin1') === 'ustar';
  const prefix = isUstar ? text(block, 345, 155) : Buffer.alloc(0);
  const name = text(block, 0, 100);
  const full = prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), name]) : name;
  const kind = specialKinds[flag];
  return {
    flag,
    name: decodeName(full),
    type: types[flag] ?? 'other',
    size: numberAt(block, 124, 12),
    mode: numberAt(block, 100, 8) & 0o7777,
    uid: numberAt(block, 108, 8),
    gid: numberAt(block, 116, 8),
    mtimeMs: numberAt(block, 136, 12) * 1000,
    linkName: decodeName(text(block, 157, 100)),
    ...(kind !== undefined && {
      special: { kind, major: numberAt(block, 329, 8), minor: numberAt(block, 337, 8) },
    }),
  };
}

/** The records of an extended header, applied to the one that follows it. */
export function applyPax(entry: RawHeader, records: Buffer): void {
  for (let at = 0; at < records.length;) {
    const space = records.indexOf(0x20, at);
    const length = Number.parseInt(records.toString('latin1', at, space), 10);
    if (space < 0 || !(length > 0)) {
      throw new Error('the tar is damaged: an extended header can not be read');
    }
    const equals = records.indexOf(0x3d, space);
    const key = records.toString('latin1', space + 1, equals);
    applyRecord(entry, key, records.subarray(equals + 1, at + length - 1));
    at += length;
  }
}

function countOf(value: Buffer): number {
  const count = Number(value.toString('latin1'));
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new Error('the tar is damaged: a number in it is none');
  }
  return count;
}

function applyRecord(entry: RawHeader, key: string, value: Buffer): void {
  if (key === 'path') {
    entry.name = decodeName(value);
  } else if (key === 'linkpath') {
    entry.linkName = decodeName(value);
  } else if (key === 'size' || key === 'uid' || key === 'gid') {
    entry[key] = countOf(value);
  } else if (key === 'mtime') {
    entry.mtimeMs = Number(value.toString('latin1')) * 1000;
  } else if (key.startsWith(xattrKey)) {
    // The records are a part of a buffer that goes back to whoever reads.
    const name = decodeName(Buffer.from(key.slice(xattrKey.length), 'latin1'));
    entry.xattrs = new Map(entry.xattrs).set(name, Buffer.from(value));
  }
}
