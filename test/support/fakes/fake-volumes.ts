import assert from 'node:assert/strict';
import { BerthError } from '../../../src/api/errors';
import type { Holder, Volume, VolumeCreate } from '../../../src/api/volumes/schemas';
import type { VolumeClaims, VolumeStore } from '../../../src/backend/drivers/driver';
import { FakeFiles } from './fake-files';
import type { Act } from './fake-images';
import type { VolumeUsage } from '../../../src/backend/files/volume-files';

export class FakeVolumes implements VolumeStore {
  /** Some of what is in them can't be read. */
  readonly partlyRead = new Set<string>();
  readonly known = new Map<string, Volume>();
  private made = 0;
  /** Taken over, with what they were before. */
  readonly claimed = new Map<string, Volume>();
  readonly claims: VolumeClaims = {
    claim: async (name) => {
      await this.act('volumes.claim', name);
      const before = this.known.get(name);
      assert(before);
      const { owner, id } = before;
      if (!this.claimed.has(name)) {
        const { owner: _, ...rest } = before;
        this.claimed.set(name, before);
        this.known.set(name, { ...rest, managed: true });
      }
      return { name, ...(owner && { installation: owner.installation }), ...(id !== undefined && { id }) };
    },
    release: async (name) => {
      await this.act('volumes.release', name);
      const before = this.claimed.get(name);
      if (before !== undefined) {
        this.known.set(name, before);
        this.claimed.delete(name);
      }
    },
    ours: () =>
      Promise.resolve(
        [...this.claimed.keys()].map((volume) => ({ volume, isReturned: this.returned.has(volume) })),
      ),
  };
  /** Claims that another installation has given back. */
  readonly returned = new Set<string>();
  readonly contents = new Map<string, FakeFiles>();

  constructor(private readonly act: Act) {}

  get names(): string[] {
    return [...this.known.keys()].sort();
  }

  /** Makes it when it is not there. */
  add(name: string, workspace?: string, managed = true): Volume {
    const role = name.endsWith('-docker') ? 'docker' : name.startsWith('workspace-') ? 'home' : 'named';
    const known = this.known.get(name);
    const made: Volume = {
      ...{ name, kind: 'docker', role, managed, holders: [], labels: {} },
      id: `made-${(this.made += 1)}`,
      ...(workspace !== undefined && { workspace }),
    };
    this.known.set(name, known ?? made);
    return known ?? made;
  }

  heldBy(name: string, ...holders: Holder[]): void {
    this.known.set(name, { ...this.add(name), holders });
  }

  async list(): Promise<Volume[]> {
    await this.act('volumes.list', '');
    return [...this.known.values()];
  }

  async inspect(name: string): Promise<Volume | undefined> {
    await this.act('volumes.inspect', name);
    return this.known.get(name);
  }

  async create({ name, labels = {} }: VolumeCreate): Promise<Volume> {
    await this.act('volumes.create', name);
    return { ...this.add(name), labels };
  }

  async remove(name: string): Promise<void> {
    await this.act('volumes.remove', name);
    this.known.delete(name);
    this.claimed.delete(name);
  }

  async resize(name: string, sizeMiB: number): Promise<Volume> {
    await this.act('volumes.resize', name);
    return { ...this.add(name), sizeMiB };
  }

  async files(name: string): Promise<FakeFiles> {
    await this.act('volumes.files', name);
    if (!this.known.has(name)) {
      throw new BerthError('not_found', `There is no volume ${name}.`);
    }
    const files = this.contents.get(name) ?? new FakeFiles(name);
    this.contents.set(name, files);
    return files;
  }

  async usage(name: string): Promise<VolumeUsage> {
    await this.act('volumes.usage', name);
    return { usedBytes: 4096, ...(this.partlyRead.has(name) && { usedIsAtLeast: true }) };
  }
}
