/** What is at a path, and the contents of a folder, as rows (src/backend/files/agent/replies.ts reads them). */
import { isOwnName } from '../../../../api/rules/volume-path';
import { DiskError } from '../../../ext4/disk-error';
import { fileType, type Inode } from '../../../ext4/structures/inode';
import { isUnusedLostAndFound } from './lost-found';
import { type Place, split, type Volume } from './places';

export type Fields = Readonly<Record<string, unknown>>;
type Row = (string | number)[];

const kinds: Readonly<Record<number, number>> = {
  [fileType.regular]: 0,
  [fileType.directory]: 1,
  [fileType.symlink]: 2,
};
const wheres = ['file', 'directory', 'other', 'other'];

function kindOf(inode: Inode): number {
  return kinds[inode.type] ?? 3;
}

function row(name: string, kind: number, inode: Inode): Row {
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

/** The row of a place, itself not followed. */
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

/**
 * The entries of a folder, a page of them where `limit` says so. Throws `path_not_found`,
 * `not_a_directory`.
 */
export function list(volume: Volume, { path, limit, cursor }: Fields): Fields {
  const place = volume.existing(split(path));
  if (!place.isDirectory) {
    throw new DiskError('not_a_directory');
  }
  const found = volume.fs.names(place.inode.number);
  const folderNumber = place.inode.number;
  const names = volume.fs
    .sortedNames(folderNumber)
    .filter((name) => !isOwnName(name) && !isUnusedLostAndFound(volume.fs, folderNumber, name));
  const start = typeof cursor === 'string' ? firstAfter(names, cursor) : 0;
  const end = typeof limit === 'number' ? Math.min(names.length, start + limit) : names.length;
  const folder = partsOf(place.path);
  const entries = names.slice(start, end).map((name) => {
    const inode = volume.fs.inode(found.get(name)?.inode ?? 0);
    return inode.type === fileType.symlink
      ? linkRow(volume, [...folder, name], name, inode)
      : row(name, kindOf(inode), inode);
  });
  const next = end < names.length ? names[end - 1] : undefined;
  return { entries, total: names.length, ...(next !== undefined && { next }) };
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
