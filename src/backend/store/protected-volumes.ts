/**
 * Volumes that are not deleted until somebody takes their protection away, by machine, kind and name: labels of volumes
 * can't be changed, so this list says it. Another volume that gets the name of one that went unseen is protected as well,
 * and shown so. While a damaged list lies beside it, set aside, each volume that may have been in it counts as protected
 * until that is decided for it.
 */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { protectedVolume, protectionUnknown } from '../../api/rules/holder';
import { localTarget } from '../../api/rules/runtimes';
import type { Volume } from '../../api/volumes/schemas';
import { KeyedLock } from '../machine/keyed-lock';
import { removeTree } from '../machine/files';
import { damagedAt, readValue, writeRecord, type RecordFormat } from './records';

/** Names are unique among the disks and folders of a machine: one word is enough for both. */
const Entry = Type.Object({
  name: Type.String({ minLength: 1 }),
  /** Missing, with the machine, in what lists of version 1 had: any volume of that name is meant. */
  store: Type.Optional(Type.Union([Type.Literal('docker'), Type.Literal('disk')])),
  /** Missing for this machine. */
  target: Type.Optional(Type.String()),
});
type Entry = Static<typeof Entry>;

const List = Type.Object({
  volumes: Type.Array(Entry),
  /** Whose protection was taken away while it was not known which ones a damaged list had. */
  unprotected: Type.Optional(Type.Array(Entry)),
});
const format: RecordFormat<typeof List> = {
  version: 2,
  schema: List,
  migrations: [
    (old) => old,
    ({ volumes }) => ({
      volumes: Array.isArray(volumes) ? volumes.map((name: unknown) => ({ name })) : volumes,
    }),
  ],
};

export type VolumeKey = Pick<Volume, 'name' | 'kind' | 'target'>;

export class ProtectedVolumes {
  private volumes: readonly Entry[] = [];
  private unprotected: readonly Entry[] = [];
  private setAside: { path: string; at: number } | undefined;
  private reloading: Promise<void> | undefined;
  private readonly writes = new KeyedLock();

  constructor(private readonly path: string) {}

  /** Throws when a newer Berth wrote the list. A damaged one is set aside: see `damaged`. */
  async load(): Promise<void> {
    const read = await readValue(this.path, format);
    this.volumes = read?.volumes ?? [];
    this.unprotected = read?.unprotected ?? [];
    this.setAside = await newestSetAside(this.path);
  }

  /** Where a list lies that could not be read; undefined where there is none, or the user has moved it away. */
  get damaged(): string | undefined {
    return this.lost()?.path;
  }

  /** The volume, with `protected` where it counts as such. `madeAt` as for `refuse`. */
  shown(volume: Volume, madeAt?: number): Volume {
    return this.has(volume) || this.isUnknown(volume, madeAt) ? { ...volume, protected: true } : volume;
  }

  /**
   * Throws `illegal_state` for a volume that is protected, or may be, naming what to do. `madeAt`: when this engine has
   * made it, in ms since the epoch, where that is known.
   */
  refuse(volume: VolumeKey, madeAt?: number): void {
    if (this.has(volume)) {
      throw protectedVolume(volume.name);
    }
    const lost = this.lost();
    if (lost !== undefined && this.isUnknown(volume, madeAt)) {
      throw protectionUnknown(volume.name, lost.path);
    }
  }

  /** Resolves when it is on disk; what can't be written does not count. */
  set(volume: VolumeKey, isProtected: boolean): Promise<void> {
    this.lost();
    return this.change(
      (volumes) => (isProtected === this.has(volume) ? volumes : withVolume(volumes, volume, isProtected)),
      (unprotected) => withVolume(unprotected, volume, !isProtected && this.setAside !== undefined),
    );
  }

  /** Whether a volume of that name is or was in the list, on whatever machine. */
  lists(name: string): boolean {
    return this.volumes.some((entry) => entry.name === name);
  }

  private has(volume: VolumeKey): boolean {
    return this.volumes.some((entry) => means(entry, volume));
  }

  private isUnknown(volume: VolumeKey, madeAt = 0): boolean {
    const lost = this.lost();
    return lost !== undefined && madeAt <= lost.at && !this.unprotected.some((entry) => means(entry, volume));
  }

  private lost(): { path: string; at: number } | undefined {
    if (this.setAside !== undefined && !existsSync(this.setAside.path)) {
      this.reloading ??= this.reload();
    }
    return this.setAside;
  }

  /** Moved away, or mended and back in its place: what counts is read again, and until then nothing is let go. */
  private async reload(): Promise<void> {
    try {
      await this.writes.run('', () => this.load());
    } catch {
      // A newer Berth wrote it: nothing is let go.
    } finally {
      this.reloading = undefined;
    }
  }

  private change(
    toVolumes: (volumes: readonly Entry[]) => readonly Entry[],
    toUnprotected: (unprotected: readonly Entry[]) => readonly Entry[],
  ): Promise<void> {
    return this.writes.run('', async () => {
      const [volumes, unprotected] = [toVolumes(this.volumes), toUnprotected(this.unprotected)];
      if (isSame(volumes, this.volumes) && isSame(unprotected, this.unprotected)) {
        return;
      }
      await (volumes.length + unprotected.length === 0
        ? removeTree(this.path)
        : writeRecord(this.path, format, {
            volumes: [...volumes],
            ...(unprotected.length > 0 && { unprotected: [...unprotected] }),
          }));
      this.volumes = volumes;
      this.unprotected = unprotected;
    });
  }
}

function storeOf(kind: Volume['kind']): 'docker' | 'disk' {
  return kind === 'docker' ? 'docker' : 'disk';
}

function means({ name, store, target }: Entry, volume: VolumeKey): boolean {
  return (
    name === volume.name &&
    (store === undefined ||
      (store === storeOf(volume.kind) && (target ?? localTarget) === (volume.target ?? localTarget)))
  );
}

/** Without it, or with it in its place by name. */
function withVolume(entries: readonly Entry[], volume: VolumeKey, isIn: boolean): readonly Entry[] {
  const others = entries.filter((entry) => !means(entry, volume));
  const { name, kind, target } = volume;
  const entry: Entry = { name, store: storeOf(kind), ...(target !== undefined && { target }) };
  return isIn ? [...others, entry].sort((a, b) => a.name.localeCompare(b.name)) : others;
}

function isSame(a: readonly Entry[], b: readonly Entry[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

async function newestSetAside(path: string): Promise<{ path: string; at: number } | undefined> {
  const names = await readdir(dirname(path)).catch(() => []);
  return names
    .flatMap((name) => {
      const at = damagedAt(basename(path), name);
      return at === undefined ? [] : [{ path: join(dirname(path), name), at }];
    })
    .sort((a, b) => b.at - a.at)[0];
}
