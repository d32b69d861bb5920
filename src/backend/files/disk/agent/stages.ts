/**
 * Uploads arrive in a hidden folder of the volume's root and are moved to where they belong when they are complete.
 * Nobody else has the disk: a stage that this agent did not make is what a dead upload left.
 */
import { randomBytes } from 'node:crypto';
import { isOwnName } from '../../../../api/rules/volume-path';
import { DiskError, errorReply } from '../../../ext4/disk-error';
import { rootInode } from '../../../ext4/file-system';
import type { Inode } from '../../../ext4/structures/inode';
import type { Copied } from './copied';
import { TreeCopy } from './copying';
import { entryOf, type Fields } from './entries';
import { Merge } from './merge';
import { type Place, refuseDevice, split, type Volume } from './places';
import { refuseRoot, removeTree } from './trees';
import type { NotifyChange } from './watches';
import { Batch, type Job, type Work } from './work';

const prefix = '.berth-stage-';
const stageMode = 0o700;

export class Stages {
  private readonly living = new Set<string>();
  private isSwept = false;

  constructor(private readonly volume: Volume) {}

  *stage(): Work<Fields> {
    yield* this.sweep();
    return { stage: `/${this.make()}` };
  }

  *unstage(request: Fields): Work<Fields> {
    yield* this.drop(this.nameOf(request));
    return {};
  }

  /**
   * By way of a stage: a copy that is cut off leaves nothing where it was going to. Throws `bad_request` for a folder
   * into itself, `path_exists`, and the first file's error where nothing could be copied.
   */
  *copy({ from, to, overwrite }: Fields, job: Job, notify: NotifyChange, copied?: Copied): Work<Fields> {
    const source = this.volume.existing(split(from), false);
    const target = this.volume.find(split(to), false);
    refuseRoot(target);
    if (target.isBelow(source.inode.number)) {
      throw new DiskError('bad_request', "a folder can't be copied into itself");
    }
    if (target.inode !== undefined && overwrite !== true) {
      throw new DiskError('path_exists', undefined, target.path);
    }
    refuseDevice(target.inode);
    const { fs } = this.volume;
    const name = this.make();
    const batch = new Batch(fs);
    const work = new TreeCopy(fs, batch, job, copied);
    try {
      const stage = fs.lookup(rootInode, name) ?? 0;
      yield* work.copy(source.inode, stage, 'copy');
      yield* batch.flush();
      const [first] = work.failed;
      if (first !== undefined && fs.lookup(stage, 'copy') === undefined) {
        throw new DiskError(first.error.code, first.error.detail, source.path);
      }
      const existed = this.putInPlace(stage, target, overwrite === true);
      notify(existed ? 'changed' : 'created', target.path);
    } catch (error) {
      // What waits to be committed may refer to content that could not be written.
      fs.rollback();
      throw error;
    } finally {
      yield* this.drop(name);
    }
    this.volume.settle(target, target.name);
    const lost = work.losses.rows((path) => `${target.path}${path}`);
    const failed = work.failed.map(({ error, path }) => errorReply(error, `${source.path}${path}`));
    return { entry: entryOf(this.volume, target), bytes: work.bytes, failed, lost };
  }

  /** Puts what is in a stage in its place. Throws `not_a_directory` for a target that is none. */
  *merge(request: Fields, notify: NotifyChange): Work<Fields> {
    const name = this.nameOf(request);
    const { fs } = this.volume;
    try {
      const place = this.volume.existing(split(request.target));
      if (!place.isDirectory) {
        throw new DiskError('not_a_directory');
      }
      const batch = new Batch(fs);
      const merge = new Merge(fs, batch, request.policy, place.path, notify);
      const stage = fs.lookup(rootInode, name) ?? 0;
      // Before anything is moved out of it: that changes its times.
      const { time, rest } = timeOf(fs.inode(stage));
      yield* merge.folder(stage, place.inode.number, '');
      yield* batch.flush();
      if (request.dressed === true) {
        fs.transact(() => {
          this.dress(place.inode.number, fs.inode(stage));
          fs.change(place.inode.number, (inode) => inode.setTime('mtime', time, rest));
        });
      }
      return merge.result();
    } finally {
      // What was moved before an error stays moved, as with every file system.
      new Batch(fs).commit();
      yield* this.drop(name);
    }
  }

  /** Removes the stages that nobody holds. */
  *sweep(): Work<Fields> {
    const { fs } = this.volume;
    const names = this.isSwept ? [] : [...fs.names(rootInode).keys()];
    const dead = names.filter((name) => isOwnName(name) && !this.living.has(name));
    this.isSwept = true;
    const batch = new Batch(fs);
    for (const name of dead) {
      yield* removeTree(fs, rootInode, name, batch);
    }
    yield* batch.flush();
    return { swept: dead.length };
  }

  *close(): Work<void> {
    for (const name of [...this.living]) {
      yield* this.drop(name);
    }
  }

  /** A folder gets owner, mode and attributes of another one. */
  private dress(folder: number, facts: Inode): void {
    const { fs } = this.volume;
    fs.change(folder, (inode) => {
      inode.mode = inode.type | (facts.mode & 0o7777);
      inode.setOwner(facts.uid, facts.gid);
    });
    const wanted = fs.attributes.list(facts.number);
    for (const name of fs.attributes.list(folder).keys()) {
      if (!wanted.has(name)) {
        fs.attributes.remove(folder, name);
      }
    }
    wanted.forEach((value, name) => fs.attributes.set(folder, name, value));
  }

  private make(): string {
    const { fs } = this.volume;
    const name = `${prefix}${randomBytes(8).toString('hex')}`;
    fs.transact(() => fs.makeDirectory(rootInode, name, { mode: stageMode, uid: 0, gid: 0 }));
    this.living.add(name);
    return name;
  }

  private nameOf({ stage }: Fields): string {
    const [name, ...others] = split(stage);
    if (name === undefined || others.length > 0 || !this.living.has(name)) {
      throw new DiskError('gone', 'no such stage');
    }
    return name;
  }

  private *drop(name: string): Work<void> {
    const batch = new Batch(this.volume.fs);
    yield* removeTree(this.volume.fs, rootInode, name, batch);
    yield* batch.flush();
    this.living.delete(name);
  }

  private putInPlace(stage: number, target: Place, overwrite: boolean): boolean {
    const { fs } = this.volume;
    const old = this.volume.status(target.directory, target.name);
    if (old !== undefined && !overwrite) {
      throw new DiskError('path_exists', undefined, target.path);
    }
    refuseDevice(old);
    fs.transact(() => fs.rename(stage, 'copy', target.directory, target.name));
    return old !== undefined;
  }
}

function timeOf(inode: Inode): { time: number; rest: number } {
  return { time: inode.time('mtime'), rest: inode.timeRest('mtime') };
}
