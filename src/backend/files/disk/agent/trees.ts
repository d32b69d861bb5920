/** Folders, and whole trees. */
import { isOwnName, joinPath } from '../../../../api/rules/volume-path';
import { ownerIn } from '../../owners';
import { DiskError, errorReply } from '../../../ext4/disk-error';
import type { Ext4 } from '../../../ext4/file-system';
import type { Inode } from '../../../ext4/structures/inode';
import { entryOf, type Fields } from './entries';
import { type Place, refuseDevice, split, type Volume } from './places';
import type { NotifyChange } from './watches';
import { Batch, type Job, type Work } from './work';

const newFolderMode = 0o755;
const setGid = 0o2000;
/** What is deeper is no tree that anybody made on purpose, and would take all of the stack. */
const deepest = 1000;

/** Throws `bad_request` for the root of a volume, which nothing replaces or removes. */
export function refuseRoot(place: Place): void {
  if (place.isRoot) {
    throw new DiskError('bad_request', 'the root of a volume stays');
  }
}

function insideItself(): DiskError {
  return new DiskError('internal', 'a folder of the disk is inside itself; check it with e2fsck -f');
}

/** Where a walk is, so that a folder inside itself is noticed. */
export class Trail {
  private readonly folders: number[] = [];

  /** Goes into a folder. Throws `internal` for one that it is in already, `too_large` when it is too deep. */
  enter(folder: number): void {
    if (this.folders.includes(folder)) {
      throw insideItself();
    }
    if (this.folders.length >= deepest) {
      throw new DiskError('too_large', `its folders are more than ${deepest} deep`);
    }
    this.folders.push(folder);
  }

  /** Enters a folder that can be read. */
  namesIn(fs: Ext4, folder: number): [string, { inode: number }][] {
    const names = [...fs.names(folder)];
    this.enter(folder);
    return names;
  }

  /** Also for one that was not entered. */
  leave(folder: number): void {
    if (this.folders.at(-1) === folder) {
      this.folders.pop();
    }
  }
}

/** A new folder that belongs to whom the folder around it belongs to. */
export function makeFolder(fs: Ext4, directory: number, name: string, mode = newFolderMode): number {
  const parent = fs.inode(directory);
  return fs.makeDirectory(directory, name, { mode: mode | (parent.mode & setGid), ...ownerIn(parent) });
}

/** Makes a folder, with those around it where `parents` says so. Throws `path_exists`, `path_not_found`. */
export function mkdir(volume: Volume, { path, parents }: Fields, notify: NotifyChange): Fields {
  const parts = split(path);
  const withParents = parents === true;
  for (let depth = withParents ? 1 : parts.length; depth <= parts.length; depth++) {
    const place = volume.find(parts.slice(0, depth));
    if (place.inode === undefined) {
      volume.fs.transact(() => makeFolder(volume.fs, place.directory, place.name));
      notify('created', place.path);
    } else if (!place.isDirectory) {
      throw new DiskError(depth === parts.length ? 'path_exists' : 'not_a_directory');
    } else if (!withParents) {
      throw new DiskError('path_exists');
    }
  }
  return { entry: entryOf(volume, volume.existing(parts, false)) };
}

/** The answer to a change of one place: what is there now. */
export function settled(volume: Volume, place: Place): Fields {
  volume.settle(place, place.name);
  return { entry: entryOf(volume, place) };
}

/**
 * Gives a file or folder another path. Throws `path_exists` unless it may overwrite, `bad_request` into
 * itself.
 */
export function rename(volume: Volume, { from, to, overwrite }: Fields, notify: NotifyChange): Fields {
  const source = volume.existing(split(from), false);
  const target = volume.find(split(to), false);
  refuseRoot(source);
  refuseRoot(target);
  const isSame = target.inode?.number === source.inode.number;
  if (isSame && source.directory === target.directory && source.name === target.name) {
    throw new DiskError('bad_request', 'source and target are the same file', target.path);
  }
  if (target.inode !== undefined && overwrite !== true) {
    throw new DiskError('path_exists', undefined, target.path);
  }
  if (source.isDirectory && target.isBelow(source.inode.number)) {
    throw new DiskError('bad_request', "a folder can't be moved into itself");
  }
  refuseDevice(target.inode);
  const existed = target.inode !== undefined;
  volume.fs.transact(() => {
    if (isSame) {
      // A rename would leave both names: as with mv, the old one goes.
      volume.fs.remove(source.directory, source.name);
    } else {
      volume.fs.rename(source.directory, source.name, target.directory, target.name);
    }
  });
  notify('deleted', source.path);
  notify(existed ? 'changed' : 'created', target.path);
  return settled(volume, target);
}

/**
 * Removes a file, or a folder with all in it where `recursive` says so. Throws `path_not_found`,
 * `directory_not_empty`.
 */
export function* remove(
  volume: Volume,
  { path, recursive }: Fields,
  notify: NotifyChange,
  job: Job,
): Work<Fields> {
  const place = volume.existing(split(path), false);
  refuseRoot(place);
  let count = 1;
  if (place.isDirectory && recursive === true) {
    const batch = new Batch(volume.fs);
    const removed = (): void => job.progress(count++);
    yield* removeTree(volume.fs, place.directory, place.name, batch, removed);
    yield* batch.flush();
    count -= 1;
  } else {
    volume.fs.transact(() => volume.fs.remove(place.directory, place.name));
  }
  notify('deleted', place.path);
  return { removed: count };
}

interface Named {
  directory: number;
  name: string;
  number: number;
  /** What is in it comes first. */
  isOpen?: boolean;
}

/**
 * Removes a name and all below it, however deep; nothing there is fine. Throws `internal` for a folder that is inside
 * itself.
 */
export function* removeTree(
  fs: Ext4,
  directory: number,
  name: string,
  batch: Batch,
  removed: () => void = () => undefined,
): Work<void> {
  const nodeAt = (folder: number, child: string): Named[] => {
    const number = fs.lookup(folder, child);
    return number === undefined ? [] : [{ directory: folder, name: child, number }];
  };
  const seen = new Set<number>();
  const todo = nodeAt(directory, name);
  for (let node = todo.at(-1); node !== undefined; node = todo.at(-1)) {
    const { number } = node;
    // Somebody may have removed it, or its folder, while others had their turn.
    const isThere = isStillThere(fs, node.directory, node.name, number);
    if (isThere && node.isOpen !== true && fs.inode(number).isDirectory) {
      if (seen.has(number)) {
        throw insideItself();
      }
      seen.add(number);
      node.isOpen = true;
      todo.push(...[...fs.names(number).keys()].flatMap((child) => nodeAt(number, child)));
      continue;
    }
    todo.pop();
    if (isThere) {
      const { directory: folder, name: gone } = node;
      yield* batch.add(() => fs.remove(folder, gone));
      removed();
    }
  }
}

/** Files at and below a name; folders don't count. */
export function countFiles(fs: Ext4, directory: number, name: string): number {
  const top = fs.lookup(directory, name);
  const seen = new Set<number>();
  const todo = top === undefined ? [] : [top];
  let count = 0;
  for (let number = todo.pop(); number !== undefined; number = todo.pop()) {
    if (!fs.inode(number).isDirectory) {
      count++;
    } else if (!seen.has(number)) {
      seen.add(number);
      todo.push(...[...fs.names(number).values()].map(({ inode }) => inode));
    }
  }
  return count;
}

/** Whether the name in a folder still means that inode. */
export function isStillThere(fs: Ext4, directory: number, name: string, number: number): boolean {
  try {
    return fs.lookup(directory, name) === number;
  } catch {
    return false;
  }
}

/** Sets the permission bits; `mode` is a number. Throws `path_not_found`. */
export function chmod(volume: Volume, { path, mode }: Fields, notify: NotifyChange): Fields {
  const place = volume.existing(split(path));
  const bits = Number(mode) & 0o7777;
  volume.fs.transact(() =>
    volume.fs.change(place.inode.number, (inode) => {
      inode.mode = inode.type | bits;
    }),
  );
  notify('changed', place.path);
  return settled(volume, place);
}

/** The sums are lower bounds when something, which is counted then, can't be read. */
class Usage {
  bytes = 0;
  allocated = 0;
  files = 0;
  directories = 0;
  unread = 0;
  firstUnread: Fields | undefined;
  private readonly linked = new Set<number>();
  private readonly folders = new Set<number>();

  constructor(private readonly fs: Ext4) {}

  *add(top: Inode, topPath: string): Work<void> {
    const todo = [{ number: top.number, path: topPath }];
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      yield;
      const { number, path } = next;
      try {
        for (const [name, child] of this.count(this.fs.inode(number))) {
          if (!isOwnName(name) && isStillThere(this.fs, number, name, child.inode)) {
            todo.push({ number: child.inode, path: joinPath(path, name) });
          }
        }
      } catch (error) {
        this.unread++;
        this.firstUnread ??= errorReply(error, path);
      }
    }
  }

  /** Answers what is in it. */
  private count(inode: Inode): ReturnType<Ext4['names']> {
    if (inode.isDirectory) {
      if (this.folders.has(inode.number)) {
        throw insideItself();
      }
      this.folders.add(inode.number);
      this.directories++;
      this.allocated += inode.sectors * 512;
      return this.fs.names(inode.number);
    }
    this.files++;
    this.bytes += inode.size;
    if (inode.links === 1 || !this.linked.has(inode.number)) {
      this.linked.add(inode.number);
      this.allocated += inode.sectors * 512;
    }
    return new Map();
  }
}

/** What a tree takes, hard links counted once. */
export function* usage(volume: Volume, { path }: Fields): Work<Fields> {
  const place = volume.existing(split(path), false);
  const total = new Usage(volume.fs);
  yield* total.add(place.inode, place.path);
  const { bytes, allocated, files, directories, unread, firstUnread } = total;
  return {
    ...{ bytes, allocated, files, directories },
    ...(unread > 0 && { unread, first_unread: firstUnread }),
  };
}
