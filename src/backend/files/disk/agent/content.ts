/** Reading and writing the content of files: small ones in one request, large ones through a handle. */
import { capability } from '../../../tar/losses';
import { ownerIn } from '../../owners';
import { DiskError } from '../../../ext4/disk-error';
import type { Attributes } from '../../../ext4/file-system';
import type { FileReader, NewContent } from '../../../ext4/file-content';
import { fileType, type Inode } from '../../../ext4/structures/inode';
import { entryOf, type Fields } from './entries';
import { type Place, split, type Volume } from './places';
import type { NotifyChange } from './watches';

const defaultMode = 0o644;
/** Clears setuid and setgid, as write(2) does. */
export const setId = 0o6000;
const setIds = { setuid: 0o4000, setgid: 0o2000 };

export type Answer = Fields | readonly [Fields, Buffer];

/** What is open, by number. */
export class Handles<T> {
  readonly open = new Map<number, T>();
  private last = 0;

  add(item: T): number {
    this.open.set(++this.last, item);
    return this.last;
  }

  /** What has the number. Throws `gone` when it is closed. */
  get(number: unknown): T {
    const item = typeof number === 'number' ? this.open.get(number) : undefined;
    if (item === undefined) {
      throw new DiskError('gone', 'it is no longer open');
    }
    return item;
  }

  take(number: unknown): T | undefined {
    const item = typeof number === 'number' ? this.open.get(number) : undefined;
    this.open.delete(Number(number));
    return item;
  }

  get all(): T[] {
    return [...this.open.values()];
  }
}

/** Throws `is_a_directory`, or `bad_request` for what is neither. */
export function requireFile(inode: Inode): void {
  if (inode.isDirectory) {
    throw new DiskError('is_a_directory');
  }
  if (inode.type !== fileType.regular) {
    throw new DiskError('bad_request', 'neither a file nor a folder');
  }
}

/** A number that is not negative, else the other one. */
export function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' && value >= 0 ? value : otherwise;
}

interface Reading {
  content: FileReader;
  close: () => void;
}

/** A new file that nobody sees until it is put in its place. */
class Writing {
  readonly content: NewContent;
  private readonly attributes: Attributes;
  private readonly parent: Inode;

  constructor(
    private readonly volume: Volume,
    private readonly place: Place,
    private readonly overwrite: boolean,
    mode: unknown,
  ) {
    this.parent = volume.fs.inode(place.directory);
    const old = place.inode;
    const { uid, gid } = old ?? ownerIn(this.parent);
    const bits = old === undefined ? numberOr(mode, defaultMode) & 0o7777 : old.mode & 0o7777 & ~setId;
    this.attributes = { mode: bits, uid, gid };
    this.content = volume.fs.newContent();
  }

  write(bytes: Buffer, offset: number): void {
    if (offset !== this.content.size) {
      throw new DiskError('bad_request', 'a file is written from its beginning to its end');
    }
    this.content.append(bytes);
  }

  /** Replaces what is there, in one step. */
  commit(notify: NotifyChange): Fields {
    const { fs } = this.volume;
    const { place } = this;
    this.content.finish();
    const before = this.lookAgain();
    const dropped = fs.transact(() => {
      if (before !== undefined) {
        return this.replace(before);
      }
      fs.makeFile(place.directory, place.name, this.content, this.attributes);
      return [];
    });
    notify(before === undefined ? 'created' : 'changed', place.path);
    this.volume.settle(place, place.name);
    return { entry: entryOf(this.volume, place), dropped };
  }

  /** The file stays the one that it is, with all its names and attributes; answers the rights that it loses. */
  private replace(old: Inode): string[] {
    const { fs } = this.volume;
    fs.replaceContent(old.number, this.content);
    const dropped = Object.entries(setIds).flatMap(([right, bit]) => ((old.mode & bit) === 0 ? [] : [right]));
    if (dropped.length > 0) {
      fs.change(old.number, (inode) => (inode.mode = inode.type | (inode.mode & 0o7777 & ~setId)));
    }
    return fs.attributes.remove(old.number, capability) ? [...dropped, 'capabilities'] : dropped;
  }

  /** Other requests came in between. */
  private lookAgain(): Inode | undefined {
    const parent = safely(() => this.volume.fs.inode(this.place.directory));
    if (
      parent?.isDirectory !== true ||
      parent.raw.readUInt32LE(0x64) !== this.parent.raw.readUInt32LE(0x64)
    ) {
      throw new DiskError('path_not_found', 'its folder was removed');
    }
    const found = this.volume.status(this.place.directory, this.place.name);
    if (found !== undefined) {
      if (!this.overwrite) {
        throw new DiskError('path_exists');
      }
      requireFile(found);
    }
    return found;
  }

  close(): void {
    this.content.giveUp();
  }
}

function safely<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

/** The operations on content; they share the open handles. */
export class Content {
  private readonly handles = new Handles<Reading | Writing>();

  constructor(private readonly volume: Volume) {}

  /** The first bytes, and a handle when there are more. */
  read({ path, offset, length, chunk }: Fields): Answer {
    const { inode } = this.volume.existing(split(path));
    requireFile(inode);
    const reading = this.volume.fs.reader(inode);
    try {
      const from = numberOr(offset, 0);
      const want = Math.max(0, Math.min(inode.size, from + numberOr(length, inode.size)) - from);
      const first = reading.content.read(from, Math.min(want, numberOr(chunk, 0)));
      const left = want - first.length;
      if (left === 0) {
        reading.close();
        return [{ handle: null, left: 0 }, first];
      }
      return [{ handle: this.handles.add(reading), left }, first];
    } catch (error) {
      reading.close();
      throw error;
    }
  }

  /** A part of a file that is open. Throws `gone` for one that is open for writing. */
  pread({ handle, offset, length }: Fields): Answer {
    const reading = this.handles.get(handle);
    if (reading instanceof Writing) {
      throw new DiskError('gone');
    }
    return [{}, reading.content.read(numberOr(offset, 0), numberOr(length, 0))];
  }

  close({ handle }: Fields): Answer {
    this.handles.take(handle)?.close();
    return {};
  }

  /** A whole file in one request. */
  write(request: Fields, payload: Buffer, notify: NotifyChange): Answer {
    const writing = this.begin(request);
    try {
      writing.write(payload, 0);
      return writing.commit(notify);
    } finally {
      writing.close();
    }
  }

  openWrite(request: Fields): Answer {
    return { handle: this.handles.add(this.begin(request)) };
  }

  pwrite({ handle, offset }: Fields, payload: Buffer): Answer {
    this.writing(handle).write(payload, numberOr(offset, 0));
    return {};
  }

  commit({ handle }: Fields, notify: NotifyChange): Answer {
    const writing = this.writing(handle);
    this.handles.take(handle);
    try {
      return writing.commit(notify);
    } finally {
      writing.close();
    }
  }

  closeAll(): void {
    for (const handle of this.handles.all) {
      handle.close();
    }
  }

  private writing(handle: unknown): Writing {
    const writing = this.handles.get(handle);
    if (!(writing instanceof Writing)) {
      throw new DiskError('gone');
    }
    return writing;
  }

  private begin({ path, create, overwrite, mode }: Fields): Writing {
    const place = this.volume.find(split(path));
    if (place.isDirectory) {
      throw new DiskError('is_a_directory');
    }
    if (place.inode === undefined && create !== true) {
      throw new DiskError('path_not_found');
    }
    if (place.inode !== undefined) {
      if (overwrite !== true) {
        throw new DiskError('path_exists');
      }
      requireFile(place.inode);
    }
    return new Writing(this.volume, place, overwrite === true, mode);
  }
}
