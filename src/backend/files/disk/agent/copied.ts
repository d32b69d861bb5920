/**
 * The end of a move: what was copied goes, and nothing else. images/tools/agent/copied.py does the same on mounted files.
 */
import { isOwnName, joinPath } from '../../../../api/rules/volume-path';
import { asDiskError, DiskError } from '../../../ext4/disk-error';
import type { Ext4 } from '../../../ext4/file-system';
import type { Inode } from '../../../ext4/structures/inode';
import { maxNoted } from '../../kept';
import type { Fields } from './entries';
import { split, type Volume } from './places';
import { isStillThere, refuseRoot } from './trees';
import type { NotifyChange } from './watches';
import { Batch, type Job, type Work } from './work';

const pageInodes = 1024;
/** 128 MiB of them, however far apart the inodes are. */
const maxPages = 16_384;
const none = 0;
const folder = -1;

/** What was read for one move: the ctime of each file, in microseconds, 8 bytes for each inode around it. */
export class Copied {
  private readonly pages = new Map<number, Float64Array>();
  /** Not all was noted: of the rest nobody knows whether it was copied. */
  isOver = false;

  constructor(private room: number) {}

  /** Before it is read. Of a file with several names the first counts: what changes in between is noticed. */
  note(inode: Inode): void {
    if (this.known(inode.number) === none) {
      this.isOver ||= this.room === 0 || this.pages.size > maxPages;
      if (this.isOver) {
        return;
      }
      this.room -= 1;
    }
    if (inode.isDirectory) {
      this.set(inode.number, folder);
    } else if (this.known(inode.number) <= none) {
      const ctime = inode.time('ctime');
      this.set(inode.number, ctime);
      // What is written in the same millisecond has the same ctime.
      while (Date.now() * 1000 === ctime);
    }
  }

  isFolder(number: number): boolean {
    return this.known(number) === folder;
  }

  /** Undefined: it was not copied as a file. */
  ctimeOf(number: number): number | undefined {
    const known = this.known(number);
    return known > none ? known : undefined;
  }

  /** It changed by what was done here. */
  renew(inode: Inode): void {
    this.set(inode.number, inode.time('ctime'));
  }

  /** Its inode may be another's from now on. */
  removed(number: number): void {
    this.set(number, none);
  }

  private known(number: number): number {
    return this.pages.get(Math.floor(number / pageInodes))?.[number % pageInodes] ?? none;
  }

  private set(number: number, value: number): void {
    const index = Math.floor(number / pageInodes);
    const page = this.pages.get(index) ?? new Float64Array(pageInodes);
    page[number % pageInodes] = value;
    this.pages.set(index, page);
  }
}

interface Level {
  directory: number;
  name: string;
  number: number;
  path: string;
  /** What is in it and was not looked at yet, last name first; undefined before it was read. */
  names?: string[];
  isFull: boolean;
}

/** Removes of a tree what was copied; `kept` names what stays, and why. */
class CopiedRemoval {
  readonly kept: Fields[] = [];
  removed = 0;
  private readonly batch: Batch;

  constructor(
    private readonly fs: Ext4,
    private readonly copied: Copied,
    private readonly job: Job,
  ) {
    this.batch = new Batch(fs);
  }

  *tree(directory: number, name: string, path: string): Work<void> {
    const around: Level = { directory: 0, name: '', number: directory, path: '', isFull: false };
    const levels = [around];
    try {
      yield* this.name(name, path, levels);
      yield* this.below(levels, around);
    } finally {
      // What was removed before an error stays removed, as with every file system.
      this.batch.commit();
    }
  }

  private *below(levels: Level[], around: Level): Work<void> {
    for (let level = levels.at(-1); level !== undefined && level !== around; level = levels.at(-1)) {
      level.names ??= this.namesIn(level);
      const next = level.names.pop();
      if (next !== undefined) {
        yield* this.name(next, joinPath(level.path, next), levels);
        continue;
      }
      levels.pop();
      const outer = levels.at(-1) ?? around;
      if (level.isFull || !(yield* this.folder(level))) {
        outer.isFull = true;
      }
    }
  }

  /** A file goes, a folder is entered. */
  private *name(name: string, path: string, levels: Level[]): Work<void> {
    const level = levels.at(-1);
    const number = level && this.lookup(level.number, name);
    if (level === undefined || number === undefined) {
      return;
    }
    if (this.copied.isOver) {
      this.keep({ path, why: 'many' }, level);
      return;
    }
    const inode = this.fs.inode(number);
    if (inode.isDirectory && this.copied.isFolder(number) && !levels.some((each) => each.number === number)) {
      levels.push({ directory: level.number, name, number, path, isFull: false });
      return;
    }
    const ctime = inode.isDirectory ? undefined : this.copied.ctimeOf(number);
    if (ctime === undefined || ctime !== inode.time('ctime')) {
      this.keep({ path, why: ctime === undefined ? 'came' : 'changed' }, level);
      return;
    }
    yield* this.file(level, name, inode);
  }

  private *file(level: Level, name: string, inode: Inode): Work<void> {
    yield* this.batch.add(() => {
      this.fs.remove(level.number, name);
      if (inode.links > 1) {
        // The other names have another ctime then.
        this.copied.renew(this.fs.inode(inode.number));
      } else {
        this.copied.removed(inode.number);
      }
    });
    this.job.progress(++this.removed);
  }

  /** False: it stays. */
  private *folder({ directory, name, number, path }: Level): Work<boolean> {
    if (!isStillThere(this.fs, directory, name, number)) {
      return true;
    }
    if (this.fs.names(number).size > 0) {
      this.kept.push({ path, why: 'filled' });
      return false;
    }
    yield* this.batch.add(() => {
      this.fs.remove(directory, name);
      this.copied.removed(number);
    });
    this.job.progress(++this.removed);
    return true;
  }

  private namesIn(level: Level): string[] {
    try {
      const names = [...this.fs.names(level.number).keys()].filter((name) => !isOwnName(name));
      return names.sort().reverse();
    } catch (error) {
      const { code, detail } = asDiskError(error);
      this.keep({ path: level.path, why: 'failed', detail: detail ?? code }, level);
      return [];
    }
  }

  private lookup(directory: number, name: string): number | undefined {
    try {
      return this.fs.lookup(directory, name);
    } catch {
      // Its folder went while others had their turn.
      return undefined;
    }
  }

  private keep(row: Fields, level: Level): void {
    this.kept.push(row);
    level.isFull = true;
  }
}

/** The moves that are under way. */
export class Notes {
  private readonly open = new Map<string, Copied>();

  noteCopied({ note, max }: Fields): Fields {
    this.open.set(String(note), new Copied(typeof max === 'number' ? max : maxNoted));
    return {};
  }

  /** Undefined where the request names none, or another agent was asked to begin it. */
  of({ note }: Fields): Copied | undefined {
    return typeof note === 'string' ? this.open.get(note) : undefined;
  }

  /** Answers what stays. Throws `gone`; nothing there is fine. */
  *removeCopied(volume: Volume, request: Fields, notify: NotifyChange, job: Job): Work<Fields> {
    const copied = this.of(request);
    if (copied === undefined) {
      throw new DiskError('gone', 'what was copied is not known any more');
    }
    const place = volume.find(split(request.path), false);
    refuseRoot(place);
    const work = new CopiedRemoval(volume.fs, copied, job);
    if (place.inode !== undefined) {
      yield* work.tree(place.directory, place.name, place.path);
      notify(work.kept.length === 0 ? 'deleted' : 'changed', place.path);
    }
    return { removed: work.removed, kept: work.kept };
  }

  forgetCopied({ note }: Fields): Fields {
    this.open.delete(String(note));
    return {};
  }
}
