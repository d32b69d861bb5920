/** What is at a path, and the contents of a folder, as rows (src/backend/files/agent/replies.ts reads them). */
import { isOwnName } from '../../../../api/rules/volume-path';
import { DiskError } from '../../../ext4/disk-error';
import { fileType, type Inode } from '../../../ext4/structures/inode';
import { isUnusedLostAndFound } from './lost-found';
import { maxRows } from '../../agent/limits';
import { type Place, split, type Volume } from './places';
import { writeEntries, type PlainRow, type Row } from './written-entries';

export type Fields = Readonly<Record<string, unknown>>;

const kinds: Readonly<Record<number, number>> = {
  [fileType.regular]: 0,
  [fileType.directory]: 1,
  [fileType.symlink]: 2,
};
const wheres = ['file', 'directory', 'other', 'other'];

function kindOf(inode: Inode): number {
  return kinds[inode.type] ?? 3;
}

function row(name: string, kind: number, inode: Inode): PlainRow {
  return [
    name,
    kind,
    inode.size,
    inode.mode & 0o7777,
    inode.uid,
    inode.gid,
    inode.time('mtime'),
    inode.time('ctime'),
  ];
}

/** A link shows what it leads to: the numbers of its target, when that is in the volume. */
function linkRow(volume: Volume, parts: readonly string[], name: string, link: Inode): Row {
  const target = volume.fs.readLink(link);
  let where = 'missing';
  let shown = link;
  try {
    const place = volume.find(parts);
    if (place.inode !== undefined) {
      where = wheres[kindOf(place.inode)] ?? 'other';
      shown = place.inode;
    }
  } catch (error) {
    where = error instanceof DiskError && error.code === 'path_escapes' ? 'outside' : 'missing';
  }
  return [...row(name, 2, shown), where, target];
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '');
}

/** The row of a place, itself not followed. Throws `path_not_found`. */
export function entryOf(volume: Volume, place: Place): Row {
  const { inode } = place;
  if (inode === undefined) {
    throw new DiskError('path_not_found', 'it was there and is gone');
  }
  const name = place.isRoot ? (partsOf(place.path).at(-1) ?? '') : place.name;
  return inode.type === fileType.symlink
    ? linkRow(volume, partsOf(place.path), name, inode)
    : row(name, kindOf(inode), inode);
}

/** What is at a path, a link not followed. Throws `path_not_found`, `path_escapes`. */
export function stat(volume: Volume, { path }: Fields): Fields {
  const place = volume.existing(split(path), false);
  return { entry: entryOf(volume, place), real: place.path };
}

/** The path without links, the last one kept as it is. */
export function real(volume: Volume, { path }: Fields): Fields {
  const place = volume.existing(split(path), false);
  return { real: place.path, directory: place.isDirectory };
}

/** The rows of a folder, a page of them where `limit` says so. Throws `path_not_found`, `not_a_directory`. */
export function list(volume: Volume, request: Fields): Fields {
  const { folder, names, total, next } = pageOf(volume, request);
  const entries = names.map(rowsIn(volume, folder));
  return { entries, total, ...(next !== undefined && { next }) };
}

/**
 * The same, its rows written as the API's JSON. Throws `too_large` for a folder with more rows than one answer can
 * have.
 */
export function writtenList(volume: Volume, request: Fields): readonly [Fields, Buffer] {
  const { folder, names, total, next } = pageOf(volume, request);
  if (names.length > maxRows) {
    throw new DiskError('too_large', `more than ${maxRows} files in one folder`);
  }
  const written = writeEntries(names, rowsIn(volume, folder));
  return [{ total, ...(next !== undefined && { next }) }, written];
}

interface Page {
  folder: Place & { inode: Inode };
  names: readonly string[];
  /** How many names there are in all. */
  total: number;
  /** The last name, where there are more. */
  next: string | undefined;
}

function pageOf(volume: Volume, { path, limit, cursor }: Fields): Page {
  const folder = volume.existing(split(path));
  if (!folder.isDirectory) {
    throw new DiskError('not_a_directory');
  }
  const { number } = folder.inode;
  const names = volume.fs
    .sortedNames(number)
    .filter((name) => !isOwnName(name) && !isUnusedLostAndFound(volume.fs, number, name));
  const start = typeof cursor === 'string' ? firstAfter(names, cursor) : 0;
  const end = typeof limit === 'number' ? Math.min(names.length, start + limit) : names.length;
  const next = end < names.length ? names[end - 1] : undefined;
  return { folder, names: names.slice(start, end), total: names.length, next };
}

function rowsIn(volume: Volume, folder: Page['folder']): (name: string) => Row {
  const found = volume.fs.names(folder.inode.number);
  return (name) => {
    const inode = volume.fs.view(found.get(name)?.inode ?? 0);
    return inode.type === fileType.symlink
      ? linkRow(volume, [...partsOf(folder.path), name], name, inode)
      : row(name, kindOf(inode), inode);
  };
}

function firstAfter(names: readonly string[], cursor: string): number {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((names[middle] ?? '') <= cursor) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
