/** Moves what a folder holds into another one: the rules of images/tools/agent/stages.py. */
import { isTooLongName } from '../../../machine/file-names';
import { numberedName } from '../../naming';
import { joinPath } from '../../../../api/rules/volume-path';
import { asDiskError, DiskError, errorReply } from '../../../ext4/disk-error';
import type { Ext4 } from '../../../ext4/file-system';
import { fileType, type Inode } from '../../../ext4/structures/inode';
import { setId } from './content';
import type { Fields } from './entries';
import { deviceStays, isDevice } from './places';
import type { NotifyChange } from './watches';
import { countFiles, Trail } from './trees';
import type { Batch, Work } from './work';

interface Side {
  folder: number;
  name: string;
}

export class Merge {
  private files = 0;
  private readonly skipped: string[] = [];
  private readonly renamed: { from: string; to: string }[] = [];
  private readonly failed: Fields[] = [];
  private readonly trail = new Trail();

  constructor(
    private readonly fs: Ext4,
    private readonly batch: Batch,
    private readonly policy: unknown,
    /** Where it goes to, for whoever watches that. */
    private readonly base: string,
    private readonly notify: NotifyChange,
  ) {}

  result(): Fields & { failed: readonly Fields[] } {
    return { files: this.files, skipped: this.skipped, renamed: this.renamed, failed: this.failed };
  }

  *folder(source: number, target: number, path: string): Work<void> {
    this.trail.enter(source);
    for (const name of [...this.fs.names(source).keys()].sort()) {
      yield* this.child({ folder: source, name }, target, `${path}/${name}`);
    }
    this.trail.leave(source);
  }

  private *child(from: Side, target: number, path: string): Work<void> {
    const fresh = this.status(from.folder, from.name);
    const old = this.status(target, from.name);
    if (fresh === undefined) {
      return;
    }
    if (old === undefined) {
      yield* this.move(from, { folder: target, name: from.name }, path, 'created');
    } else if (fresh.isDirectory && old.isDirectory) {
      if (this.policy === 'rename' && path.lastIndexOf('/') === 0) {
        yield* this.moveAside(from, target, path, fresh);
      } else {
        yield* this.folder(fresh.number, old.number, path);
      }
    } else {
      yield* this.conflict(from, target, path, fresh, old);
    }
  }

  private *conflict(from: Side, target: number, path: string, fresh: Inode, old: Inode): Work<void> {
    if (this.policy === 'fail') {
      throw new DiskError('path_exists', undefined, path);
    }
    if (this.policy === 'skip') {
      this.skipped.push(path);
    } else if (this.policy === 'rename') {
      yield* this.moveAside(from, target, path, fresh);
    } else if (fresh.isDirectory) {
      this.fail(path, new DiskError('not_a_directory', 'a folder does not replace a file'));
    } else if (old.isDirectory) {
      this.fail(path, new DiskError('is_a_directory', 'a file does not replace a folder'));
    } else if (isDevice(old)) {
      this.fail(path, deviceStays());
    } else {
      yield* this.replace(from, target, path, fresh, old);
    }
  }

  /** An existing file keeps its owner and mode; a link on either side is replaced as it is. */
  private *replace(from: Side, target: number, path: string, fresh: Inode, old: Inode): Work<void> {
    yield* this.attempt(path, () => {
      if (fresh.type === fileType.regular && old.type === fileType.regular) {
        this.fs.change(fresh.number, (inode) => {
          inode.setOwner(old.uid, old.gid);
          inode.mode = inode.type | (old.mode & 0o7777 & ~setId);
        });
      }
      this.fs.rename(from.folder, from.name, target, from.name);
      this.files++;
      this.notify('changed', joinPath(this.base, path.slice(1)));
    });
  }

  /** `name (2).txt`, `name (3).txt`, … whichever is free first. */
  private *moveAside(from: Side, target: number, path: string, fresh: Inode): Work<void> {
    let number = 2;
    let name = numberedName(from.name, number, fresh.isDirectory);
    while (this.fs.lookup(target, name) !== undefined) {
      name = numberedName(from.name, ++number, fresh.isDirectory);
    }
    if (isTooLongName(name)) {
      this.fail(path, new DiskError('bad_request', 'its new name is too long'));
      return;
    }
    const to = `${path.slice(0, path.lastIndexOf('/'))}/${name}`;
    yield* this.move(from, { folder: target, name }, to, 'created');
    this.renamed.push({ from: path, to });
  }

  private *move(from: Side, to: Side, path: string, what: 'created' | 'changed'): Work<void> {
    yield* this.attempt(path, () => {
      const count = countFiles(this.fs, from.folder, from.name);
      this.fs.rename(from.folder, from.name, to.folder, to.name);
      this.files += count;
      this.notify(what, joinPath(this.base, path.slice(1)));
    });
  }

  private *attempt(path: string, change: () => void): Work<void> {
    const before = this.fs.changes;
    try {
      yield* this.batch.add(change);
    } catch (error) {
      // When others were waiting for the same commit, they are lost with it.
      if (before > 0 || asDiskError(error).code === 'cancelled') {
        throw error;
      }
      this.fail(path, error);
    }
  }

  private status(folder: number, name: string): Inode | undefined {
    const number = this.fs.lookup(folder, name);
    return number === undefined ? undefined : this.fs.inode(number);
  }

  private fail(path: string, error: unknown): void {
    this.failed.push(errorReply(error, path));
  }
}
