/**
 * Copies inside a volume, as `cp -a` does it: modes, owners, times, attributes, links and holes are kept. Only rights to
 * become somebody else are dropped.
 */
import { capability, Losses, notCopied, setIdReason } from '../../../tar/losses';
import { isOwnName } from '../../../../api/rules/volume-path';
import { asDiskError, DiskError } from '../../../ext4/disk-error';
import type { Attributes, Ext4 } from '../../../ext4/file-system';
import type { FileReader, NewContent } from '../../../ext4/file-content';
import { fileType, type Inode } from '../../../ext4/structures/inode';
import { setId } from './content';
import type { Copied } from './copied';
import { isStillThere, Trail } from './trees';
import type { Batch, Job, Work } from './work';

const piece = 1024 * 1024;
const setGid = 0o2000;

function attributesOf(inode: Inode, kept = 0): Attributes {
  return {
    mode: inode.mode & 0o7777 & ~(setId & ~kept),
    uid: inode.uid,
    gid: inode.gid,
    mtime: inode.time('mtime'),
    mtimeRest: inode.timeRest('mtime'),
  };
}

export class TreeCopy {
  bytes = 0;
  /** What can't be read, and sockets and devices, which mean nothing elsewhere; paths as in `copy`. */
  readonly failed: { path: string; error: DiskError }[] = [];
  readonly losses = new Losses();
  private readonly trail = new Trail();
  /** The copies of files that have several names. */
  private readonly linked = new Map<number, number>();

  constructor(
    private readonly fs: Ext4,
    private readonly batch: Batch,
    private readonly job: Job,
    /** Notes what is read. */
    private readonly copied?: Copied,
  ) {}

  /** `path`: what the copy is below, for whoever reads of losses. */
  *copy(inode: Inode, directory: number, target: string, path = ''): Work<void> {
    this.copied?.note(inode);
    if (inode.isDirectory) {
      yield* this.folder(inode, directory, target, path);
    } else if (inode.type === fileType.regular) {
      yield* this.file(inode, directory, target, path);
    } else if (inode.type === fileType.symlink) {
      const text = this.fs.readLink(inode);
      yield* this.batch.add(() => this.fs.makeLink(directory, target, text, attributesOf(inode)));
    } else {
      this.failed.push({ path, error: new DiskError('not_supported', notCopied) });
    }
  }

  private *folder(inode: Inode, directory: number, target: string, path: string): Work<void> {
    let copy = 0;
    yield* this.batch.add(() => {
      copy = this.fs.makeDirectory(directory, target, attributesOf(inode, setGid));
    });
    const names = this.attempt(path, () => this.trail.namesIn(this.fs, inode.number)) ?? [];
    for (const [name, { inode: number }] of names) {
      const below = `${path}/${name}`;
      if (!isOwnName(name) && isStillThere(this.fs, inode.number, name, number)) {
        const child = this.attempt(below, () => this.fs.inode(number));
        if (child !== undefined) {
          yield* this.copy(child, copy, name, below);
        }
      }
    }
    this.trail.leave(inode.number);
    yield* this.batch.add(() => {
      this.giveAttributes(inode, copy, path);
      this.fs.change(copy, (made) => made.setTime('mtime', inode.time('mtime'), inode.timeRest('mtime')));
    });
  }

  /** What can't be read is noted, and stops nothing else. */
  private attempt<T>(path: string, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      this.failed.push({ path, error: asDiskError(error) });
      return undefined;
    }
  }

  private *file(inode: Inode, directory: number, target: string, path: string): Work<void> {
    const first = this.linked.get(inode.number);
    if (first !== undefined) {
      yield* this.batch.add(() => this.fs.addName(directory, target, first));
      return;
    }
    const reading = this.fs.reader(inode);
    const content = this.fs.newContent();
    try {
      if (inode.size > piece) {
        yield* this.batch.flush();
      }
      yield* this.content(reading.content, content);
      yield* this.batch.add(() => {
        const copy = this.fs.makeFile(directory, target, content, attributesOf(inode));
        if (inode.links > 1) {
          this.linked.set(inode.number, copy);
        }
        this.giveAttributes(inode, copy, path);
        if ((inode.mode & setId) !== 0) {
          this.losses.add(setIdReason, path);
        }
      });
    } finally {
      reading.close();
      content.giveUp();
    }
  }

  private giveAttributes(from: Inode, to: number, path: string): void {
    const refused: string[] = [];
    for (const [name, value] of this.fs.attributes.list(from.number)) {
      if (name === capability || !tryTo(() => this.fs.attributes.set(to, name, value))) {
        refused.push(name);
      }
    }
    this.losses.attributes(refused, path);
  }

  private *content(from: FileReader, to: NewContent): Work<void> {
    for (const [start, end] of from.parts()) {
      to.skipTo(start);
      for (let at = start; at < end; at += piece) {
        const bytes = from.read(at, Math.min(piece, end - at));
        if (bytes.length === 0) {
          throw new DiskError('path_not_found', 'it changed while it was copied');
        }
        to.append(bytes);
        this.bytes += bytes.length;
        this.job.progress(this.bytes);
        if (from.size > piece) {
          yield;
        }
      }
    }
    to.finish();
    to.skipTo(from.size);
  }
}

/** False for an attribute that does not fit, or that no kernel would take. */
export function tryTo(change: () => void): boolean {
  try {
    change();
    return true;
  } catch (error) {
    if (error instanceof DiskError && ['no_space', 'bad_request', 'not_supported'].includes(error.code)) {
      return false;
    }
    throw error;
  }
}
