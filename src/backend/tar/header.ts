/** Headers of tar entries: POSIX ustar with pax extensions where it is too small (IEEE Std 1003.1, pax). */
import { decodeName, encodeName } from '../machine/file-names';
import { encodeMap, sparseKey, SparseRecords, type SparsePart } from './sparse';

export const blockSize = 512;
const maxOctalSize = 0o77777777777;
const nsPerSecond = 1_000_000_000n;
const none = Buffer.alloc(0);
const paxName = Buffer.from('pax');

export type TarType = 'file' | 'directory' | 'symlink' | 'link' | 'other';

export interface TarEntry {
  /** `/`-separated, as in machine/file-names.ts; of folders without the slash at the end. */
  name: string;
  type: TarType;
  size: number;
  mode: number;
  uid: number;
  gid: number;
  mtimeMs: number;
  /** The same time to the nanosecond, where that is known. */
  mtimeNs?: bigint;
  linkName: string;
  /** Of what is `other`: undefined for what no file system holds. */
  special?: { kind: 'fifo' | 'character' | 'block'; major: number; minor: number };
  /** Extended attributes by their full names, e.g. `security.capability`; their values are bytes. */
  xattrs?: ReadonlyMap<string, Buffer>;
  /** Names of attributes in a tar that no file can have. */
  refused?: readonly string[];
  /** Those of them that are not too long, but more than a file can have. */
  tooMany?: readonly string[];
  /**
   * Of a file with holes: the parts that the archive holds, in order; `size` is that of the file. GNU tar wants all but
   * the last to be whole blocks.
   */
  sparse?: readonly SparsePart[];
}

const specialFlags = { character: '3', block: '4', fifo: '6' } as const;
const specialKinds: Readonly<Record<string, keyof typeof specialFlags>> = {
  3: 'character',
  4: 'block',
  6: 'fifo',
};
const xattrKey = 'SCHILY.xattr.';
/** As Linux has it for one value; and what is kept in memory for all of a file. */
const maxValue = 64 * 1024;
const maxValues = 128 * 1024;
const maxAttributes = 500;
const maxAttributeName = 255;
/** Of a name or target, of which no system takes half as many: what is longer is cut, and still refused as too long. */
const maxNameBytes = 8192;

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

/** Bytes of its content that an archive holds: all but the holes. */
export function dataBytes({ size, sparse }: Pick<TarEntry, 'size' | 'sparse'>): number {
  return sparse === undefined ? size : sparse.reduce((sum, { length }) => sum + length, 0);
}

/** Digits up to the last byte of a field, which stays zero. */
function putOctal(header: Buffer, at: number, length: number, value: number): void {
  let left = Math.max(0, Math.trunc(value));
  for (let place = at + length - 2; place >= at; place--) {
    const above = Math.floor(left / 8);
    header[place] = 0x30 + (left - above * 8);
    left = above;
  }
}

/** Both bounds are a multiple of four: four bytes at a time take a third of the time. */
function sumOf(header: Buffer, start: number, end: number): number {
  let sum = 0;
  for (let at = start; at < end; at += 4) {
    sum += (header[at] as number) + (header[at + 1] as number);
    sum += (header[at + 2] as number) + (header[at + 3] as number);
  }
  return sum;
}

/** Its own field, of eight bytes, counts as spaces. */
function checksum(header: Buffer): number {
  return 8 * 0x20 + sumOf(header, 0, 148) + sumOf(header, 156, blockSize);
}

/** What both headers of an entry say of it. */
type Common = Pick<TarEntry, 'mode' | 'uid' | 'gid' | 'mtimeMs' | 'special'>;

const ustarMagic = Buffer.from('ustar\u000000', 'latin1');

/** Fills a block of zeros. */
function ustar(header: Buffer, flag: string, name: Buffer, entry: Common, size: number, link: Buffer): void {
  name.copy(header, 0, 0, 100);
  putOctal(header, 100, 8, entry.mode & 0o7777);
  putOctal(header, 108, 8, Math.min(entry.uid, 0o7777777));
  putOctal(header, 116, 8, Math.min(entry.gid, 0o7777777));
  putOctal(header, 124, 12, Math.min(size, maxOctalSize));
  putOctal(header, 136, 12, Math.min(entry.mtimeMs / 1000, maxOctalSize));
  header[156] = flag.charCodeAt(0);
  link.copy(header, 157, 0, 100);
  ustarMagic.copy(header, 257);
  if (entry.special !== undefined) {
    putOctal(header, 329, 8, entry.special.major);
    putOctal(header, 337, 8, entry.special.minor);
  }
  putOctal(header, 148, 7, checksum(header));
  header[155] = 0x20;
}

/** `LENGTH key=value\n`, where LENGTH counts itself. Text is ASCII. */
function paxRecord(key: string | Buffer, value: string | Buffer): Buffer {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  if (typeof key === 'string' && typeof value === 'string') {
    return Buffer.from(`${length} ${key}=${value}\n`, 'latin1');
  }
  const parts = [`${length} `, key, '=', value, '\n'];
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
}

/** GNU tar and others: `=` would end a name, and `%` begins what stands for it. */
function escapeKey(attribute: string): string {
  return attribute.replaceAll('%', '%25').replaceAll('=', '%3D');
}

function unescapeKey(key: string): string {
  return key.replaceAll('%3D', '=').replaceAll('%25', '%');
}

function sparseRecords(name: Buffer, size: number): Buffer[] {
  const record = (key: string, value: string | Buffer): Buffer => paxRecord(`${sparseKey}${key}`, value);
  return [record('major', '1'), record('minor', '0'), record('name', name), record('realsize', String(size))];
}

function paxRecords(entry: TarEntry, name: Buffer, size: number, link: Buffer): Buffer[] {
  const records: Buffer[] = entry.sparse === undefined ? [] : sparseRecords(name, entry.size);
  const seconds = entry.mtimeMs / 1000;
  if (entry.mtimeNs !== undefined && entry.mtimeNs % nsPerSecond !== 0n) {
    records.push(paxRecord('mtime', secondsOf(entry.mtimeNs)));
  } else if (seconds < 0 || seconds > maxOctalSize) {
    records.push(paxRecord('mtime', String(seconds)));
  }
  if (name.length > 100) {
    records.push(paxRecord('path', name));
  }
  if (link.length > 100) {
    records.push(paxRecord('linkpath', link));
  }
  if (size > maxOctalSize) {
    records.push(paxRecord('size', String(size)));
  }
  if (entry.uid > 0o7777777) {
    records.push(paxRecord('uid', String(entry.uid)));
  }
  if (entry.gid > 0o7777777) {
    records.push(paxRecord('gid', String(entry.gid)));
  }
  for (const [attribute, value] of entry.xattrs ?? []) {
    records.push(paxRecord(encodeName(`${xattrKey}${escapeKey(attribute)}`), value));
  }
  return records;
}

/**
 * The header of an entry, with an extended one before it where needed, and the map of a sparse file behind it. Its
 * content (`dataBytes` of it) and padding follow.
 */
export function encodeHeader(entry: TarEntry): Buffer {
  const name = encodeName(entry.type === 'directory' ? `${entry.name}/` : entry.name);
  const link = encodeName(entry.linkName);
  const map = entry.sparse === undefined ? none : encodeMap(entry.sparse, entry.size);
  const size = entry.type === 'file' ? map.length + dataBytes(entry) : 0;
  const flag = entry.special === undefined ? flags[entry.type] : specialFlags[entry.special.kind];
  const records = paxRecords(entry, name, size, link);
  const extended = records.reduce((sum, { length }) => sum + length, 0);
  const before = extended === 0 ? 0 : blockSize + extended + paddingOf(extended);
  // Mostly a part of the buffer that small ones share.
  const all = Buffer.allocUnsafe(before + blockSize + map.length).fill(0);
  if (extended > 0) {
    const { uid, gid, mtimeMs } = entry;
    const own = { mode: 0o644, uid, gid, mtimeMs };
    ustar(all.subarray(0, blockSize), 'x', paxName, own, extended, none);
    let at = blockSize;
    for (const record of records) {
      at += record.copy(all, at);
    }
  }
  ustar(all.subarray(before, before + blockSize), flag, name, entry, size, link);
  map.copy(all, before + blockSize);
  return all;
}

/** Decimal, as pax has times. */
function secondsOf(nanoseconds: bigint): string {
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  const fraction = String(size % nsPerSecond).padStart(9, '0');
  return `${nanoseconds < 0n ? '-' : ''}${size / nsPerSecond}.${fraction}`;
}

/** When it was changed: microseconds since 1970, and the nanoseconds below them. */
export function changeTimeOf({ mtimeMs, mtimeNs }: TarEntry): [microseconds: number, rest: number] {
  if (mtimeNs === undefined) {
    return [Number.isFinite(mtimeMs) ? Math.round(mtimeMs * 1000) : 0, 0];
  }
  const rest = ((mtimeNs % 1000n) + 1000n) % 1000n;
  return [Number((mtimeNs - rest) / 1000n), Number(rest)];
}

/** Undefined for what is no number of seconds. */
function nanosecondsOf(text: string): bigint | undefined {
  const [, sign, whole = '', fraction = ''] = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(text) ?? [];
  if (sign === undefined) {
    return undefined;
  }
  const size = BigInt(whole) * nsPerSecond + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  return sign === '-' ? -size : size;
}

/** The text of a name or target, which may be as long as a header: text costs far more than its bytes. */
export function boundedName(bytes: Buffer): string {
  return decodeName(bytes.subarray(0, maxNameBytes));
}

function isZero(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

function text(block: Buffer, start: number, length: number): Buffer {
  let end = start;
  while (end < start + length && block[end] !== 0) {
    end++;
  }
  return block.subarray(start, end);
}

/** Seconds, which may be below zero in base 256. */
function timeAt(block: Buffer, start: number): number {
  if (block[start] !== 0xff) {
    return numberAt(block, start, 12);
  }
  const value = BigInt.asIntN(64, block.readBigUInt64BE(start + 4));
  return Number.isSafeInteger(Number(value)) ? Number(value) : 0;
}

/** Octal, or base 256 when the first bit is set (GNU). */
export function numberAt(block: Buffer, start: number, length: number): number {
  if (((block[start] ?? 0) & 0x80) !== 0) {
    let value = 0;
    for (let at = start + 1; at < start + length; at++) {
      value = value * 256 + (block[at] ?? 0);
    }
    // A first byte of 0xff: below zero, which only a time can be.
    return block[start] === 0x80 && Number.isSafeInteger(value) ? value : 0;
  }
  // As it nearly always is: digits, then a zero or space.
  let digits = 0;
  for (let at = start; at < start + length; at++) {
    const byte = block[at] ?? 0;
    if (at > start && (byte === 0 || byte === 0x20)) {
      return digits;
    }
    if (byte < 0x30 || byte > 0x37) {
      break;
    }
    digits = digits * 8 + byte - 0x30;
  }
  const value = Number.parseInt(text(block, start, length).toString('latin1').trim() || '0', 8);
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

export interface RawHeader extends TarEntry {
  flag: string;
  /** What an extended header says about the holes of a file. */
  sparseRecords?: SparseRecords;
  xattrs?: Map<string, Buffer>;
  /** Of all their values. */
  xattrBytes?: number;
  refused?: string[];
  tooMany?: string[];
}

const types: Readonly<Record<string, TarType>> = {
  '': 'file',
  '0': 'file',
  '7': 'file',
  '1': 'link',
  '2': 'symlink',
  '5': 'directory',
};

/** Reads one block; undefined at the end of the archive. Throws for a header whose checksum is wrong. */
export function decodeHeader(block: Buffer): RawHeader | undefined {
  if (isZero(block)) {
    return undefined;
  }
  if (numberAt(block, 148, 8) !== checksum(block)) {
    throw new Error('the tar is damaged: a header has a wrong checksum');
  }
  const flag = text(block, 156, 1).toString('latin1');
  const isUstar = block.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isUstar ? text(block, 345, 155) : none;
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
    mtimeMs: timeAt(block, 136) * 1000,
    linkName: decodeName(text(block, 157, 100)),
    ...(kind !== undefined && {
      special: { kind, major: numberAt(block, 329, 8), minor: numberAt(block, 337, 8) },
    }),
  };
}

/** The records of an extended header, applied to the one that follows it. Throws for records that can't be read. */
export function applyPax(entry: RawHeader, records: Buffer): void {
  for (let at = 0; at < records.length;) {
    const space = records.indexOf(0x20, at);
    const length = Number.parseInt(records.toString('latin1', at, space), 10);
    const end = at + length;
    const equals = records.indexOf(0x3d, space);
    if (space < 0 || !(length > 0) || equals < 0 || equals >= end || end > records.length) {
      throw new Error('the tar is damaged: an extended header can not be read');
    }
    const key = records.toString('latin1', space + 1, equals);
    applyRecord(entry, key, records.subarray(equals + 1, end - 1));
    at = end;
  }
}

function countOf(value: Buffer): number {
  const count = Number(value.toString('latin1'));
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new Error('the tar is damaged: a number in it is none');
  }
  return count;
}

function addAttribute(entry: RawHeader, name: string, value: Buffer): void {
  const xattrs = (entry.xattrs ??= new Map<string, Buffer>());
  const others = entry.xattrBytes ?? 0;
  const isTooLong = name.length > maxAttributeName || value.length > maxValue;
  if (isTooLong || xattrs.size >= maxAttributes || others + value.length > maxValues) {
    const refused = (entry.refused ??= []);
    if (refused.length >= maxAttributes) {
      throw new Error('the tar is damaged: a file in it has more attributes than any can have');
    }
    refused.push(name.slice(0, maxAttributeName));
    if (!isTooLong) {
      (entry.tooMany ??= []).push(name);
    }
  } else {
    // The records are a part of a buffer that goes back to whoever reads.
    entry.xattrBytes = others - (xattrs.get(name)?.length ?? 0) + value.length;
    xattrs.set(name, Buffer.from(value));
  }
}

function applyRecord(entry: RawHeader, key: string, value: Buffer): void {
  if (key === 'path') {
    entry.name = boundedName(value);
  } else if (key === 'linkpath') {
    entry.linkName = boundedName(value);
  } else if (key === 'size' || key === 'uid' || key === 'gid') {
    entry[key] = countOf(value);
  } else if (key === 'mtime') {
    const nanoseconds = nanosecondsOf(value.toString('latin1'));
    if (nanoseconds !== undefined) {
      entry.mtimeNs = nanoseconds;
      entry.mtimeMs = Number(nanoseconds / 1000n) / 1000;
    }
  } else if (key.startsWith(sparseKey)) {
    entry.sparseRecords ??= new SparseRecords();
    entry.sparseRecords.add(key.slice(sparseKey.length), decodeName(value));
  } else if (key.startsWith(xattrKey)) {
    addAttribute(entry, unescapeKey(boundedName(Buffer.from(key.slice(xattrKey.length), 'latin1'))), value);
  }
}
