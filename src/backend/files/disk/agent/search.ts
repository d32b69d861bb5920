/** Text in files: what of many files may have a match, as images/tools/agent/search.py has it. */
import { errorReply } from '../../../ext4/disk-error';
import { type Answer, numberOr, requireFile } from './content';
import type { Fields } from './entries';
import { split, type Volume } from './places';
import type { Work } from './work';

/** Text has no NUL; where one is, it is near the beginning, as git has it. */
const lookedForNul = 8_000;
/** Where a file has more, it is sent from there to its end. */
const maxLines = 256;
/** When an answer has that much, what is left is to be asked for again. */
const maxAnswer = 4 * 1024 * 1024;

type Piece = readonly [line: number, content: Buffer];

/** Reads files one after the other. What is gone is not counted. */
export function* search(volume: Volume, { paths, needle, any_case, max_bytes }: Fields): Work<Answer> {
  const anyCase = any_case === true;
  const wanted =
    typeof needle === 'string' && needle !== '' ? plain(Buffer.from(needle), anyCase) : undefined;
  const counts = { done: 0, searched: 0, binary: 0, too_large: 0, unread: 0 };
  const files: unknown[] = [];
  const payload: Buffer[] = [];
  let size = 0;
  for (const path of Array.isArray(paths) ? paths.map(String) : []) {
    yield;
    if (size >= maxAnswer) {
      break;
    }
    const place = counts.done++;
    const content = contentOf(volume, path, numberOr(max_bytes, 0), counts);
    const pieces = content === undefined ? [] : [...piecesOf(content, wanted, anyCase)];
    if (pieces.length > 0) {
      files.push([place, pieces.map(([line, piece]) => [line, piece.length])]);
      payload.push(...pieces.map(([, piece]) => piece));
      size += pieces.reduce((sum, [, piece]) => sum + piece.length, 0);
    }
  }
  return [{ files, ...counts }, Buffer.concat(payload)];
}

/** All of a text; else undefined, and it is counted why. */
function contentOf(
  volume: Volume,
  path: string,
  maxBytes: number,
  counts: { searched: number; binary: number; too_large: number; unread: number },
): Buffer | undefined {
  try {
    const { inode } = volume.existing(split(path));
    requireFile(inode);
    if (inode.size > maxBytes) {
      counts.too_large++;
      return undefined;
    }
    const { content, close } = volume.fs.reader(inode);
    try {
      const isText = !content.read(0, lookedForNul).includes(0);
      const all = isText ? content.read(0, inode.size) : undefined;
      counts.searched++;
      counts.binary += isText ? 0 : 1;
      return all;
    } finally {
      close();
    }
  } catch (error) {
    counts.unread += errorReply(error, path).code === 'path_not_found' ? 0 : 1;
    return undefined;
  }
}

/** Bytes as characters; in one case for all that ASCII has. As the needle is made the same, no line is missed. */
function plain(content: Buffer, anyCase: boolean): string {
  const text = content.toString('latin1');
  return anyCase ? text.toLowerCase() : text;
}

/** Of one line each, or of all that follow. */
function* piecesOf(content: Buffer, needle: string | undefined, anyCase: boolean): Generator<Piece> {
  if (needle === undefined) {
    yield [1, content];
    return;
  }
  const text = plain(content, anyCase);
  let line = 1;
  let begin = 0;
  for (let count = 0; count < maxLines; count++) {
    const at = text.indexOf(needle, begin);
    if (at < 0) {
      return;
    }
    for (let next = text.indexOf('\n', begin); next >= 0 && next < at; next = text.indexOf('\n', begin)) {
      line++;
      begin = next + 1;
    }
    const end = text.indexOf('\n', at);
    yield [line, content.subarray(begin, end < 0 ? undefined : end)];
    if (end < 0) {
      return;
    }
    line++;
    begin = end + 1;
  }
  if (text.includes(needle, begin)) {
    yield [line, content.subarray(begin)];
  }
}
