/** Named volumes of microVMs: disks (and shared folders) in the state directory, and who has them. */
import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../../../api/errors';
import { defaultDiskMiB } from '../../../../api/rules/sizes';
import type { Volume, VolumeCreate } from '../../../../api/volumes/schemas';
import { volumeUsage, type VolumeFiles, type VolumeUsage } from '../../../files/volume-files';
import { KeyedLock } from '../../../machine/keyed-lock';
import { isErrno, removeTree } from '../../../machine/files';
import type { DiskHolder, DiskStore, HolderLookup } from '../parts';
import { DirectoryVolumes } from './directory-volumes';
import { DiskSnapshots, type HeldWork } from './disk-snapshots';
import { checkSize, growDisk, makeDisk, usedBytes } from './disk-image';
import { OpenDisks } from './open-disks';
import { UserImages } from './user-images';
import { workspaceUser } from '../../../inside/places';
import { VolumeIndex, type VolumeRow } from './volume-index';
import { checkName, notFound, roleOf, toVolume } from './volume-row';

/** Between a disk's attachment and its machine's first sign of life. */
const defaultStartMs = 30_000;
const defaultWriteWaitMs = 30_000;

export interface DiskStoreOptions {
  /** The state directory. */
  home: string;
  /** The folder `images/tools/agent`. */
  agentDirectory: string;
  holders: HolderLookup;
  /** An image that nobody uses for so long is closed. */
  idleMs?: number;
  /** How long an attachment waits for what is being written. */
  writeWaitMs?: number;
  startMs?: number;
  /** Instead of mke2fs. */
  makeDisk?: (path: string, sizeMiB: number, owner: number) => Promise<void>;
}

export class Disks implements DiskStore {
  readonly snapshots: DiskSnapshots;
  private readonly index: VolumeIndex;
  private readonly images: UserImages;
  private readonly open: OpenDisks;
  private readonly directories: DirectoryVolumes;
  private readonly lock = new KeyedLock();
  /** Attached, but their machines have not been seen to run yet: when that was. */
  private readonly starting = new Map<string, number>();

  constructor(private readonly options: DiskStoreOptions) {
    const { idleMs, holders: questions, agentDirectory } = options;
    const volumes = join(options.home, 'volumes');
    this.index = new VolumeIndex(volumes);
    this.images = new UserImages({ volumes, holders: questions });
    this.directories = new DirectoryVolumes(agentDirectory);
    this.snapshots = new DiskSnapshots(join(options.home, 'snapshots'), {
      whileFree: (name, work) => this.lock.run(name, () => this.whileFree(name, work)),
      whileThere: (name, free, held) => this.lock.run(name, () => this.whileThere(name, free, held)),
      resized: (name, sizeMiB) => this.edit(name, (each) => ({ ...each, size_mib: sizeMiB })),
    });
    this.open = new OpenDisks({
      ...(idleMs !== undefined && { idleMs }),
      holderOf: (name) => this.holderOf(name),
      liveFiles: (runtime, volume) => questions.liveFiles(runtime, volume),
    });
  }

  async list(): Promise<Volume[]> {
    const rows = await this.index.rows();
    const present = await Promise.all(rows.map((row) => this.isThere(row)));
    return Promise.all(rows.filter((_, at) => present[at]).map((row) => this.shown(row)));
  }

  async inspect(name: string): Promise<Volume | undefined> {
    const row = await this.index.find(name);
    // What somebody removed by hand is not there, whatever the list says.
    return row !== undefined && (await this.isThere(row)) ? this.shown(row) : undefined;
  }

  /** Makes a disk, or notes a folder. Throws `not_supported` for another kind, and for a folder with a size. */
  async create(spec: VolumeCreate): Promise<Volume> {
    const name = checkName(spec.name);
    if (spec.kind === 'docker') {
      throw new BerthError('not_supported', 'Volumes of microVMs are of the kind "disk" or "directory".', {
        field: 'kind',
      });
    }
    const isDirectory = spec.kind === 'directory';
    if (isDirectory && spec.sizeMiB !== undefined) {
      throw new BerthError('not_supported', 'A volume of the kind "directory" has no fixed size.', {
        field: 'sizeMiB',
      });
    }
    const row: VolumeRow = {
      name,
      size_mib: isDirectory ? 0 : checkSize(spec.sizeMiB ?? defaultDiskMiB),
      created_at: new Date().toISOString(),
      attached_to: '',
      ...(isDirectory && { kind: 'directory' }),
      ...(spec.labels !== undefined && Object.keys(spec.labels).length > 0 && { labels: spec.labels }),
    };
    await this.lock.run(name, () => this.make(row));
    return toVolume(row, this.index.fileOf(row), []);
  }

  /** Refused while somebody has it. */
  async remove(name: string): Promise<void> {
    await this.lock.run(name, async () => {
      const row = await this.index.find(name);
      if (row === undefined) {
        return;
      }
      await this.refuseHeld(row, `volume "${name}" is attached to running workspace "${row.attached_to}"`);
      await this.open.leave(name);
      await this.directories.close(name);
      // The row last: a file without one would be nobody's, a row without its file is no volume.
      const file = this.index.fileOf(row);
      await (row.kind === 'directory' ? removeTree(file) : rm(file, { force: true }));
      // Also what an engine left that was killed.
      await Promise.all(['.redo', '.lock'].map((ending) => rm(file + ending, { force: true })));
      await this.forget(name);
      this.starting.delete(name);
    });
  }

  async resize(name: string, sizeMiB: number): Promise<Volume> {
    checkSize(sizeMiB);
    return this.lock.run(name, async () => {
      const row = await this.existing(name);
      if (row.kind === 'directory') {
        throw new BerthError('not_supported', `${name} is a folder: it grows with its files.`);
      }
      await this.refuseHeld(
        row,
        `volume "${name}" is attached to running workspace "${row.attached_to}": detach it before resizing`,
      );
      const back = await this.open.take(name, this.index.fileOf(row), this.writeWaitMs);
      try {
        await growDisk(name, this.index.fileOf(row), sizeMiB);
        await this.edit(name, (each) => ({ ...each, size_mib: sizeMiB }));
      } finally {
        back();
      }
      return toVolume({ ...row, size_mib: sizeMiB }, this.index.fileOf(row), []);
    });
  }

  /** Nobody has the disk meanwhile, and nobody gets it. */
  private async whileFree<T>(name: string, work: (path: string) => Promise<T>): Promise<T> {
    const row = await this.present(name);
    const path = this.index.fileOf(row);
    if (row.kind === 'directory') {
      throw new BerthError('not_supported', `${name} is a folder: there are no snapshots of folders yet.`);
    }
    await this.refuseHeld(row, `volume "${name}" is attached to running workspace "${row.attached_to}"`);
    const back = await this.open.take(name, path, this.writeWaitMs);
    try {
      return await work(path);
    } finally {
      back();
    }
  }

  /** Nobody else gets the disk meanwhile. */
  private async whileThere<T>(
    name: string,
    free: (path: string) => Promise<T>,
    held: HeldWork<T>,
  ): Promise<T> {
    const row = await this.present(name);
    const runtime = row.kind === 'directory' ? undefined : await this.holding(row);
    const { holders } = this.options;
    return runtime === undefined
      ? this.whileFree(name, free)
      : held(this.index.fileOf(row), (draft, job) => holders.copyHeld(runtime, name, draft, job));
  }

  async files(name: string): Promise<VolumeFiles> {
    const row = await this.existing(name);
    const path = this.index.fileOf(row);
    return row.kind === 'directory' ? this.directories.files(name, path) : this.open.files(name, path);
  }

  async usage(name: string, signal: AbortSignal): Promise<VolumeUsage> {
    const row = await this.existing(name);
    if (row.kind === 'directory') {
      return volumeUsage(await (await this.files(name)).usage('/', signal));
    }
    // What a running guest has not written back yet is missing: nobody else is to be asked for a number.
    return { usedBytes: await usedBytes(name, this.index.fileOf(row)) };
  }

  /** The path of a disk that is this runtime's alone from now on. Whoever had it before must provably not run. */
  async attach(name: string, holder: DiskHolder): Promise<string> {
    return this.lock.run(name, async () => {
      const row = await this.present(name);
      const path = this.index.fileOf(row);
      if (row.kind === 'directory') {
        return path;
      }
      if (row.runtime !== holder.runtime) {
        await this.refuseHeld(
          row,
          `volume "${name}" is already attached to running workspace "${row.attached_to}"`,
        );
      }
      const back = await this.open.take(name, path, this.writeWaitMs);
      try {
        await this.edit(name, (each) => ({
          ...withoutHolder(each),
          attached_to: holder.workspace,
          runtime: holder.runtime,
          ...(holder.readOnly && { read_only: true }),
        }));
        this.starting.set(name, Date.now());
      } finally {
        back();
      }
      void this.open.switched(name);
      return path;
    });
  }

  /**
   * For a machine that goes on from what was saved of it: its guest has the disk mounted, and is the only one who may
   * replay its journal. Throws unless it had the disk all the time.
   */
  async attachMounted(name: string, { runtime }: DiskHolder): Promise<string> {
    return this.lock.run(name, async () => {
      const row = await this.present(name);
      if (row.kind !== 'directory' && row.runtime !== runtime) {
        throw new BerthError(
          'illegal_state',
          `The volume ${name} was released since ${runtime} was paused.`,
          {
            hint: 'Stop it and start it again: what was in its memory is lost, its volumes are not.',
          },
        );
      }
      this.starting.set(name, Date.now());
      return this.index.fileOf(row);
    });
  }

  attachImage(path: string, holder: DiskHolder): Promise<string> {
    return this.images.attach(path, holder);
  }

  checkImage(path: string, holder: DiskHolder): Promise<void> {
    return this.images.check(path, holder);
  }

  async release({ runtime }: { runtime: string }): Promise<void> {
    await this.images.release(runtime);
    const released = await this.index.change((rows) => {
      const names = rows.filter((row) => row.runtime === runtime).map(({ name }) => name);
      const next = rows.map((row) => (row.runtime === runtime ? withoutHolder(row) : row));
      return Promise.resolve([names.length > 0 ? next : undefined, names]);
    });
    for (const name of released) {
      this.starting.delete(name);
      void this.open.switched(name);
    }
  }

  /** Closes every image. */
  async close(): Promise<void> {
    await this.open.close();
    await this.snapshots.close();
    await this.directories.closeAll();
  }

  private get writeWaitMs(): number {
    return this.options.writeWaitMs ?? defaultWriteWaitMs;
  }

  private async existing(name: string): Promise<VolumeRow> {
    const row = await this.index.find(name);
    if (row === undefined) {
      throw notFound(name);
    }
    return row;
  }

  /** Throws as well when the file of it is gone. */
  private async present(name: string): Promise<VolumeRow> {
    const row = await this.existing(name);
    if (!(await this.isThere(row))) {
      throw new BerthError(
        'not_found',
        `The volume ${name} is gone: ${this.index.fileOf(row)} was removed.`,
        {
          hint: 'Put it back, or rebuild the workspace: it gets a new, empty one.',
        },
      );
    }
    return row;
  }

  private async make(row: VolumeRow): Promise<void> {
    if ((await this.inspect(row.name)) !== undefined) {
      throw new BerthError('exists', `volume "${row.name}" already exists`, { field: 'name' });
    }
    const path = this.index.fileOf(row);
    await setAside(path);
    // The row first: a file without one would be nobody's, should the engine be killed in between.
    await this.index.change((rows) => {
      const others = rows.filter(({ name }) => name !== row.name);
      return Promise.resolve([[...others, row], undefined]);
    });
    try {
      if (row.kind === 'directory') {
        await this.directories.make(path);
      } else {
        const owner = roleOf(row).role === 'docker' ? 0 : workspaceUser;
        await (this.options.makeDisk ?? makeDisk)(path, row.size_mib, owner);
      }
    } catch (error) {
      await removeTree(path);
      // A row that stays, as on a full disk, is no volume.
      await this.forget(row.name).catch(() => undefined);
      throw error;
    }
  }

  private forget(name: string): Promise<void> {
    return this.index.change((rows) =>
      Promise.resolve([rows.filter((each) => each.name !== name), undefined]),
    );
  }

  private async isThere(row: VolumeRow): Promise<boolean> {
    return stat(this.index.fileOf(row)).then(
      () => true,
      (error: unknown) => !isErrno(error, 'ENOENT'),
    );
  }

  private edit(name: string, edit: (row: VolumeRow) => VolumeRow): Promise<void> {
    return this.index.change((rows) =>
      Promise.resolve([rows.map((row) => (row.name === name ? edit(row) : row)), undefined]),
    );
  }

  private async shown(row: VolumeRow): Promise<Volume> {
    const runtime = await this.holding(row);
    return toVolume(
      row,
      this.index.fileOf(row),
      runtime === undefined
        ? []
        : [
            {
              runtime,
              ...(row.attached_to !== '' && { workspace: row.attached_to }),
              state: await this.options.holders.stateOf(runtime).catch(() => 'unknown' as const),
              readOnly: row.read_only === true,
            },
          ],
    );
  }

  private async holderOf(name: string): Promise<string | undefined> {
    return this.holding(await this.existing(name));
  }

  /** Who has a disk now. A holder that nothing is known of counts as one. */
  private async holding(row: VolumeRow): Promise<string | undefined> {
    if (row.attached_to === '' && row.runtime === undefined) {
      return undefined;
    }
    const runtime = row.runtime ?? row.attached_to;
    const isGone = await this.options.holders.isGone(runtime).catch(() => false);
    const since = this.starting.get(row.name);
    if (!isGone) {
      this.starting.delete(row.name);
      return runtime;
    }
    const isStarting = since !== undefined && Date.now() - since < (this.options.startMs ?? defaultStartMs);
    return isStarting ? runtime : undefined;
  }

  private async refuseHeld(row: VolumeRow, message: string): Promise<void> {
    if ((await this.holding(row)) !== undefined) {
      throw new BerthError('in_use', message, { hint: `Stop ${row.attached_to} first.` });
    }
  }
}

function withoutHolder({ runtime: _runtime, read_only: _readOnly, ...row }: VolumeRow): VolumeRow {
  return { ...row, attached_to: '' };
}

/** A disk that no list knows is somebody's data: kept, under another name. */
async function setAside(path: string): Promise<void> {
  await rename(path, `${path}.found-${Date.now()}`).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) {
      throw error;
    }
  });
}
