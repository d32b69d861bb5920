/** Rows of a folder as the API's JSON (`FileEntry`): who sends them on need not read and write them again. */
import type { FileEntry } from '../../../../api/files/schemas';
import { putFixed, putNumber, putText, putThousandths, roomOf } from './json-bytes';

/** As src/backend/files/agent/replies.ts reads it. */
export type PlainRow = [
  name: string,
  kind: number,
  size: number,
  mode: number,
  uid: number,
  gid: number,
  mtime: number,
  ctime: number,
];
/** Of a link, also what it leads to. */
export type Row = PlainRow | [...PlainRow, where: string, target: string];

const fixed = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));

const part = {
  first: fixed('{"name":'),
  next: fixed(',{"name":'),
  /** By `kind`. */
  types: (['file', 'directory', 'symlink', 'other'] satisfies FileEntry['type'][]).map((type) =>
    fixed(`,"type":"${type}","size":`),
  ),
  unknown: fixed(',"type":"other","size":'),
  mode: fixed(',"mode":'),
  uid: fixed(',"uid":'),
  gid: fixed(',"gid":'),
  mtime: fixed(',"mtimeMs":'),
  ctime: fixed(',"ctimeMs":'),
  targetType: fixed(',"targetType":'),
  linkTarget: fixed(',"linkTarget":'),
  begin: fixed('['),
  end: fixed('}'),
  endOfAll: fixed(']'),
};

/** What an entry takes without its texts. */
const maxPlain = 256;
const startBytes = 64 * 1024;

/** A JSON list of an entry for each name, in a buffer of its own. */
export function writeEntries(names: readonly string[], rowOf: (name: string) => Row): Buffer {
  let bytes = Buffer.allocUnsafeSlow(startBytes);
  let at = putFixed(bytes, 0, part.begin);
  let start = part.first;
  for (const name of names) {
    const row = rowOf(name);
    const room = maxPlain + roomOf(row[0]) + roomOf(row[9] ?? '');
    if (at + room > bytes.length) {
      bytes = Buffer.concat([bytes.subarray(0, at)], 2 * bytes.length + room);
    }
    at = putEntry(bytes, putFixed(bytes, at, start), row);
    start = part.next;
  }
  return Buffer.concat([bytes.subarray(0, at), part.endOfAll], at + part.endOfAll.length);
}

function putEntry(bytes: Buffer, start: number, row: Row): number {
  const [name, kind, size, mode, uid, gid, mtime, ctime, where, target] = row;
  let at = putText(bytes, start, name);
  at = putNumber(bytes, putFixed(bytes, at, part.types[kind] ?? part.unknown), size);
  at = putNumber(bytes, putFixed(bytes, at, part.mode), mode);
  at = putNumber(bytes, putFixed(bytes, at, part.uid), uid);
  at = putNumber(bytes, putFixed(bytes, at, part.gid), gid);
  at = putThousandths(bytes, putFixed(bytes, at, part.mtime), mtime);
  at = putThousandths(bytes, putFixed(bytes, at, part.ctime), ctime);
  if (where !== undefined && target !== undefined) {
    at = putText(bytes, putFixed(bytes, at, part.targetType), where);
    at = putText(bytes, putFixed(bytes, at, part.linkTarget), target);
  }
  return putFixed(bytes, at, part.end);
}
