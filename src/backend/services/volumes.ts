/** Volumes of all drivers: list, create, delete with guard, and the files inside. */
import { BerthError, asBerthError } from '../../api/errors';
import type { FileChange } from '../../api/schemas/file';
import type { Volume, VolumeCreate } from '../../api/schemas/volume';
import type { VolumeFiles } from '../files/volume-files';
import type { Drivers } from './drivers';
import type { EventHub } from './event-hub';
import type { Log } from './log';
import type { WorkspaceRegistry } from './workspace-registry';

const usageTimeoutMs = 120_000;

export class Volumes {
  constructor(
    private readonly drivers: Drivers,
    private readonly registry: WorkspaceRegistry,
    private readonly events: EventHub,
    private readonly log: Log,
  ) {}

  async list(usage: boolean): Promise<Volume[]> {
    const lists = await Promise.all(this.drivers.all().map((driver) => this.listOf(driver.volumes)));
    const volumes = lists.flat().sort((a, b) => a.name.localeCompare(b.name));
    return usage ? Promise.all(volumes.map((volume) => this.withUsage(volume))) : volumes;
  }

  async get(name: string, usage: boolean): Promise<Volume> {
    const driver = await this.drivers.ofVolume(name);
    const volume = await driver.volumes.inspect(name);
    if (volume === undefined) {
      throw new BerthError('not_found', `There is no volume ${name}.`);
    }
    return usage ? this.withUsage(volume) : volume;
  }

  async create(spec: VolumeCreate): Promise<Volume> {
    const driver = this.drivers.ofVolumeKind(spec.kind);
    // A name means one volume, whoever keeps it.
    if ((await this.drivers.findVolume(spec.name)) !== undefined) {
      throw new BerthError('exists', `volume "${spec.name}" already exists`, { field: 'name' });
    }
    const volume = await driver.volumes.create(spec);
    this.events.publish('volume.changed', volume);
    return volume;
  }

  /** `force` consents to deleting what another tool made; a volume in use is never deleted. */
  async delete(name: string, force: boolean): Promise<{ deleted: boolean }> {
    const volume = await this.get(name, false);
    const owner = this.registry
      .all()
      .find((record) => [record.homeVolume, record.dockerVolume].includes(name));
    if (owner !== undefined) {
      throw new BerthError('in_use', `Volume ${name} belongs to workspace ${owner.name}.`, {
        hint: `Delete the workspace instead: \`berth delete ${owner.name}\`.`,
      });
    }
    if (volume.holders.length > 0) {
      const holders = volume.holders.map((holder) => holder.workspace ?? holder.runtime).join(', ');
      throw new BerthError('in_use', `Volume ${name} is attached to ${holders}.`, {
        hint: 'Remove what holds it first.',
      });
    }
    if (!volume.managed && !force) {
      throw new BerthError('forbidden', `Volume ${name} was made by another tool.`, {
        hint: 'Say `force` (--force) to delete it all the same.',
      });
    }
    const driver = await this.drivers.ofVolume(name);
    await driver.volumes.remove(name);
    this.events.publish('volume.deleted', { name });
    return { deleted: true };
  }

  async resize(name: string, sizeMiB: number): Promise<Volume> {
    const driver = await this.drivers.ofVolume(name);
    const volume = await driver.volumes.resize(name, sizeMiB);
    this.events.publish('volume.changed', volume);
    return volume;
  }

  /** The files of a volume; the driver keeps them open as long as they are used. */
  async files(name: string): Promise<VolumeFiles> {
    const [only, ...others] = this.drivers.all();
    if (only !== undefined && others.length === 0) {
      return only.volumes.files(name);
    }
    return (await this.drivers.ofVolume(name)).volumes.files(name);
  }

  /** Opens each once: whoever opens a volume tidies up what a dead upload left in it. */
  async tidy(names: Iterable<string>): Promise<void> {
    for (const name of names) {
      try {
        await (await this.files(name)).stat('/');
      } catch (error) {
        this.log.info({ err: asBerthError(error).message, volume: name }, 'drafts of an upload may be left');
      }
    }
  }

  /** Tells everybody what our own call changed. */
  changed(volume: string, changes: FileChange[]): void {
    if (changes.length > 0) {
      this.events.publish('files.changed', { volume, changes });
    }
  }

  private async listOf(store: { list(): Promise<Volume[]> }): Promise<Volume[]> {
    try {
      return await store.list();
    } catch (error) {
      if (this.drivers.all().length === 1) {
        throw error;
      }
      this.log.warn({ err: error }, 'volumes of a driver not listed');
      return [];
    }
  }

  private async withUsage(volume: Volume): Promise<Volume> {
    try {
      const driver = await this.drivers.ofVolume(volume.name);
      const usedBytes = await driver.volumes.usage(volume.name, AbortSignal.timeout(usageTimeoutMs));
      return { ...volume, usedBytes, usedAt: new Date().toISOString() };
    } catch (error) {
      this.log.warn({ err: error, volume: volume.name }, 'usage not measured');
      return volume;
    }
  }
}
