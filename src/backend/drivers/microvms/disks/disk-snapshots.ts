/** Snapshots of disks: images beside them, by shared blocks where the file system can, else by a copy with its holes. */
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../../../api/errors';
import type { SnapshotFacts, SnapshotJob, SnapshotStore } from '../../contract/snapshots';
import { AgentFiles } from '../../../files/agent/agent-files';
import { DiskAccess } from '../../../files/disk/disk-access';
import { ReadOnlyFiles } from '../../../files/unchangeable-files';
import type { VolumeFiles } from '../../../files/volume-files';
import { cloneFile, copySparse } from '../../../machine/copies';
import { isErrno } from '../../../machine/files';
import { writeWhole } from '../../../machine/whole-file';
import { usedBytes } from './disk-image';

const ending = '.ext4';
const blockBytes = 512;
const mebibyte = 1024 * 1024;

/** What snapshots ask of the disks. */
export interface DiskOwner {
  /** Calls back with the path of a disk that nobody else has meanwhile, sound and closed. Throws `in_use`, `not_found`. */
  whileFree<T>(volume: string, work: (path: string) => Promise<T>): Promise<T>;
  /** It has another image, and perhaps another size, from now on. To be called within `whileFree`. */
  resized(volume: string, sizeMiB: number): Promise<void>;
}

interface Opened {
  access: DiskAccess;
  files: VolumeFiles;
}

export class DiskSnapshots implements SnapshotStore {
  private readonly opened = new Map<string, Opened>();

  constructor(
    /** Made when the first one is. */
    private readonly folder: string,
    private readonly disks: DiskOwner,
  ) {}

  async create(volume: string, id: string, job: SnapshotJob): Promise<SnapshotFacts> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    return this.disks.whileFree(volume, async (path) => {
      const began = performance.now();
      const isShared = await writeWhole(this.fileOf(id), (draft) => copied(path, draft, job), {
        mode: 0o400,
        ifPresent: 'refuse',
      });
      const { size } = await stat(path);
      return {
        ...{ kind: 'disk', isShared, sizeMiB: size / mebibyte },
        usedBytes: await usedBytes(volume, path),
        heldMs: Math.round(performance.now() - began),
      };
    });
  }

  async restore(id: string, volume: string, job: SnapshotJob): Promise<void> {
    const from = await this.existing(id);
    await this.disks.whileFree(volume, async (path) => {
      await writeWhole(path, (draft) => copied(from, draft, job), { mode: 0o600 });
      await this.disks.resized(volume, (await stat(path)).size / mebibyte);
    });
  }

  async remove(id: string): Promise<void> {
    const open = this.opened.get(id);
    this.opened.delete(id);
    await open?.files.close();
    await open?.access.close();
    await rm(this.fileOf(id), { force: true });
  }

  async heldBytes(id: string): Promise<number | undefined> {
    try {
      return (await stat(this.fileOf(id))).blocks * blockBytes;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) {
        return undefined;
      }
      throw error;
    }
  }

  async files(id: string): Promise<VolumeFiles> {
    const path = await this.existing(id);
    const known = this.opened.get(id) ?? this.open(id, path);
    this.opened.set(id, known);
    return known.files;
  }

  async ids(): Promise<string[]> {
    const names = await readdir(this.folder).catch((error: unknown) => {
      if (isErrno(error, 'ENOENT')) {
        return [];
      }
      throw error;
    });
    return names.filter((name) => name.endsWith(ending)).map((name) => name.slice(0, -ending.length));
  }

  async close(): Promise<void> {
    for (const { files, access } of this.opened.values()) {
      await files.close();
      await access.close();
    }
    this.opened.clear();
  }

  private open(id: string, path: string): Opened {
    const volume = `snapshot ${id}`;
    const prepare = (): Promise<() => void> => Promise.resolve(() => undefined);
    const access = new DiskAccess({ volume, path, isReadOnly: true, prepare });
    const refusal = (): BerthError =>
      new BerthError('read_only', 'A snapshot never changes.', {
        hint: 'Copy files out of it, or restore it.',
      });
    return { access, files: new ReadOnlyFiles(new AgentFiles(access), refusal) };
  }

  private async existing(id: string): Promise<string> {
    if ((await this.heldBytes(id)) === undefined) {
      throw new BerthError('not_found', `There is no snapshot ${id}: ${this.fileOf(id)} is gone.`);
    }
    return this.fileOf(id);
  }

  private fileOf(id: string): string {
    return join(this.folder, id + ending);
  }
}

/** Answers whether blocks are shared. */
async function copied(from: string, draft: string, job: SnapshotJob): Promise<boolean> {
  job.signal.throwIfAborted();
  const isShared = await cloneFile(from, draft);
  if (!isShared) {
    await copySparse(from, draft, job);
  }
  return isShared;
}
