/** Volumes of all drivers: list, create, delete with guard, and the files inside. */
import { BerthError, asBerthError } from '../../../api/errors';
import { notWhile } from '../../../api/rules/lifecycle';
import { heldVolume } from '../../../api/rules/holder';
import { ownerOf, ownerWords } from '../../../api/rules/owner';
import { snapshotOfFiles, workspaceOfRoot } from '../../../api/rules/root-files';
import { ownVolumesOf } from '../../../api/workspaces/own-volumes';
import type { Volume, VolumeCreate, VolumePatch } from '../../../api/volumes/schemas';
import type { VolumeFiles } from '../../files/volume-files';
import type { Driver } from '../../drivers/driver';
import type { AdoptedVolumes } from '../../store/adopted-volumes';
import type { SnapshotRecords } from '../../store/snapshot-records';
import type { ProtectedVolumes } from '../../store/protected-volumes';
import { checkVolumeName } from '../workspaces/start/mount-syntax';
import type { Drivers } from '../engine/drivers';
import type { EventHub } from '../operations/event-hub';
import type { Log } from '../../machine/log';
import type { LeavingVolumes } from '../trash/leaving-volumes';
import { publishedFiles } from './published-files';
import { removeVolume, takeVolume } from './own-volumes';
import { forgetProtection, refuseGuardedVolume, withProtection } from './protection';
import { withUsers } from './volume-users';
import type { WorkspaceRegistry } from '../workspaces/registry';
import type { WorkspaceRecord } from '../workspaces/record';
import type { Runtimes } from '../workspaces/runtime-handle';

const usageTimeoutMs = 120_000;

export interface VolumesDeps {
  drivers: Drivers;
  runtimes: Runtimes;
  registry: WorkspaceRegistry;
  adopted: AdoptedVolumes;
  guarded: ProtectedVolumes;
  leaving: LeavingVolumes;
  snapshots: Pick<SnapshotRecords, 'get'>;
  events: EventHub;
  log: Log;
}

export class Volumes {
  /** Who has a volume whose files were opened: asking the drivers takes longer than most calls for files. */
  private readonly keptBy = new Map<string, Driver>();

  constructor(private readonly deps: VolumesDeps) {
    deps.events.observe((event) => {
      if (event.type === 'volume.deleted') {
        const { name } = event.payload;
        this.keptBy.delete(name);
        // Its name alone would not bring it back: what stays in the list after a failure does no harm.
        Promise.all([deps.adopted.forget(name), forgetProtection(deps, name)]).catch((error: unknown) =>
          deps.log.warn({ err: error, name }, 'still listed'),
        );
      }
    });
  }

  /**
   * `isShown`: what is not is not measured either. Throws the error of a driver that does not answer, where no volume
   * is known.
   */
  async list(usage: boolean, isShown: (volume: Volume) => boolean = () => true): Promise<Volume[]> {
    const lists = await Promise.allSettled(this.deps.drivers.all().map((driver) => driver.volumes.list()));
    const volumes = lists
      .flatMap((each) => (each.status === 'fulfilled' ? each.value : []))
      .map((volume) => this.shown(volume))
      .filter(isShown)
      .sort((a, b) => a.name.localeCompare(b.name));
    for (const failure of lists.filter((each) => each.status === 'rejected')) {
      // An empty list would say that there are none.
      if (volumes.length === 0) {
        throw failure.reason;
      }
      this.deps.log.warn({ err: failure.reason as unknown }, 'volumes of a driver not listed');
    }
    return usage ? Promise.all(volumes.map((volume) => this.withUsage(volume))) : volumes;
  }

  /** The id of a session volume becomes its name; any other name stays as it is. */
  async wholeName(given: string): Promise<string> {
    return this.keptBy.has(given) ? given : this.deps.drivers.wholeVolumeName(given);
  }

  /** One volume, measured with `usage`. Throws `not_found`. */
  async get(name: string, usage: boolean): Promise<Volume> {
    const driver = await this.deps.drivers.ofVolume(name);
    const found = await driver.volumes.inspect(name);
    if (found === undefined) {
      throw new BerthError('not_found', `There is no volume ${name}.`);
    }
    const volume = this.shown(found);
    return usage ? this.withUsage(volume) : volume;
  }

  /** Makes a volume. Throws `exists` where another driver has one of the name, and what the driver refuses. */
  async create(spec: VolumeCreate): Promise<Volume> {
    // Only disks have a size.
    const kind = spec.kind ?? (spec.sizeMiB === undefined ? undefined : 'disk');
    const driver = this.deps.drivers.ofVolumeKind(kind);
    checkVolumeName(spec.name, driver.kind, 'name');
    // A name means one volume, whoever keeps it.
    const keeper = await this.deps.drivers.findVolume(spec.name);
    if (keeper !== undefined) {
      throw await this.nameTaken(spec.name);
    }
    const volume = await driver.volumes.create({ ...spec, ...(kind !== undefined && { kind }) });
    // A new one was in no list: not in one either that can't be read.
    await this.deps.guarded.set(volume, false).catch((error: unknown) => {
      this.deps.log.warn({ err: error, name: spec.name }, 'counts as protected');
    });
    this.deps.events.publish('volume.changed', volume);
    return volume;
  }

  /** For good. `force` consents to deleting what another tool made; a volume in use is never deleted. */
  async delete(name: string, force: boolean): Promise<{ deleted: boolean }> {
    await this.deletable(name, force);
    await removeVolume(this.deps, await this.deps.drivers.ofVolume(name), name);
    this.deps.events.publish('volume.deleted', { name });
    return { deleted: true };
  }

  /** Throws where it is not to be deleted. */
  async deletable(name: string, force: boolean): Promise<Volume> {
    const volume = await this.get(name, false);
    const owner = this.ownerOf(name);
    if (owner !== undefined) {
      throw new BerthError('in_use', `Volume ${name} belongs to workspace ${owner.name}.`, {
        hint: `Delete the workspace instead: \`berth delete ${owner.name}\`.`,
      });
    }
    refuseGuardedVolume(this.deps, volume);
    if (volume.holders.length > 0) {
      throw heldVolume(volume);
    }
    if (volume.owner !== undefined) {
      throw new BerthError('in_use', `Volume ${name} belongs to ${ownerWords(volume.owner)}.`, {
        hint: `Delete it from there, or take it over first: \`berth volume adopt ${name} --take-over\`.`,
      });
    }
    if (!volume.managed && !force) {
      throw new BerthError('forbidden', `Volume ${name} was made by another tool.`, {
        hint: 'Use `force` (--force) to delete it anyway.',
      });
    }
    return volume;
  }

  /**
   * From now on it counts as made by this installation. `takeOver` consents to take it from another one, which then
   * loses it; a volume that the other one uses just now is not taken. Throws `not_supported` for a file or folder of
   * this machine, `not_found`, and what a take-over is refused for.
   */
  async adopt(name: string, takeOver: boolean): Promise<Volume> {
    const volume = await this.get(name, false);
    if (volume.managed) {
      return volume;
    }
    if (volume.kind !== 'docker') {
      throw new BerthError('not_supported', `${name} is a file or folder of yours: it needs no adoption.`);
    }
    refuseOthersVolume(volume, takeOver);
    await takeVolume(this.deps, await this.deps.drivers.ofVolume(name), name, takeOver);
    const ours = await this.get(name, false);
    this.deps.events.publish('volume.changed', ours);
    return ours;
  }

  /** A protected volume is not deleted, neither by itself nor with its workspace. */
  async update(name: string, { protected: isProtected }: VolumePatch): Promise<Volume> {
    const found = await this.get(name, false);
    await this.deps.guarded.set(found, isProtected);
    const volume = await this.get(found.name, false);
    this.deps.events.publish('volume.changed', volume);
    return volume;
  }

  /** What a driver says of a volume, with what it does not know. */
  shown(volume: Volume): Volume {
    return withProtection(this.deps, withUsers(volume, this.deps.registry.all()));
  }

  /** By whom, and what to do. */
  private async nameTaken(name: string): Promise<BerthError> {
    const volume = await this.get(name, false);
    const { owner, workspace, managed } = volume;
    const whose =
      owner !== undefined
        ? `of ${ownerWords(owner)}`
        : workspace !== undefined
          ? `of workspace ${workspace}`
          : managed
            ? 'made by Berth'
            : 'made by another tool';
    return new BerthError('exists', `There is a volume ${name} already, ${whose}.`, {
      field: 'name',
      hint:
        owner === undefined
          ? 'Use it, or choose another name.'
          : `Choose another name, or take it over: \`berth volume adopt ${name} --take-over\`.`,
    });
  }

  async resize(name: string, sizeMiB: number): Promise<Volume> {
    const driver = await this.deps.drivers.ofVolume(name);
    const volume = this.shown(await driver.volumes.resize(name, sizeMiB));
    this.deps.events.publish('volume.changed', volume);
    return volume;
  }

  /** The files of a volume, or of a workspace's root; the driver keeps them open as long as they are used. */
  async files(name: string): Promise<VolumeFiles> {
    return publishedFiles(await this.open(name), (changes) =>
      this.deps.events.publish('files.changed', { volume: name, changes }),
    );
  }

  /** The volume that files are of, also those of a snapshot. */
  lineageOf(name: string): string {
    const snapshot = snapshotOfFiles(name);
    const record = snapshot === undefined ? undefined : this.deps.snapshots.get(snapshot);
    return record?.volume ?? name;
  }

  /** The workspace that has the volume to itself. */
  private ownerOf(volume: string): WorkspaceRecord | undefined {
    return this.deps.registry.all().find((record) => ownVolumesOf(record).includes(volume));
  }

  private async open(name: string): Promise<VolumeFiles> {
    const workspace = workspaceOfRoot(name);
    if (workspace !== undefined) {
      const record = this.deps.registry.get(workspace);
      if (record.state === 'creating') {
        throw notWhile(record.state, workspace, "its files can't be reached");
      }
      return (await this.deps.runtimes.reach(record)).rootFiles();
    }
    const snapshot = snapshotOfFiles(name);
    if (snapshot !== undefined) {
      return this.openSnapshot(snapshot);
    }
    this.deps.leaving.refuse(name);
    // The container engine in use may have another one of that name.
    const owner = this.ownerOf(name);
    await (owner && this.deps.runtimes.reach(owner));
    const known = this.keptBy.get(name);
    const driver = known ?? (await this.deps.drivers.ofVolume(name));
    this.keptBy.set(name, driver);
    try {
      return await driver.volumes.files(name);
    } catch (error) {
      this.keptBy.delete(name);
      throw error;
    }
  }

  private async openSnapshot(id: string): Promise<VolumeFiles> {
    const record = this.deps.snapshots.get(id);
    const store = record && this.deps.drivers.ofVolumeKind(record.kind).volumes.snapshots;
    if (store === undefined) {
      throw new BerthError('not_found', `There is no snapshot ${id}.`, {
        hint: '`berth snapshot list VOLUME` shows the ones there are.',
      });
    }
    return store.files(id);
  }

  /** Opens each once: whoever opens a volume tidies up what a dead upload left in it. */
  async tidy(names: Iterable<string>): Promise<void> {
    for (const name of names) {
      try {
        await (await this.files(name)).stat('/');
      } catch (error) {
        this.deps.log.info(
          { err: asBerthError(error).message, volume: name },
          'drafts of an upload may be left',
        );
      }
    }
  }

  private async withUsage(volume: Volume): Promise<Volume> {
    if (volume.owner !== undefined) {
      return volume;
    }
    try {
      const driver = await this.deps.drivers.ofVolume(volume.name);
      const usage = await driver.volumes.usage(volume.name, AbortSignal.timeout(usageTimeoutMs));
      return { ...volume, ...usage, usedAt: new Date().toISOString() };
    } catch (error) {
      this.deps.log.warn({ err: error, volume: volume.name }, 'usage not measured');
      return volume;
    }
  }
}

function refuseOthersVolume(volume: Volume, takeOver: boolean): void {
  const { name, holders } = volume;
  const theirs = holders.filter((holder) => holder.owner !== undefined);
  const owner = ownerOf(volume);
  if (owner === undefined) {
    return;
  }
  if (!takeOver) {
    throw new BerthError('in_use', `The volume ${name} belongs to ${ownerWords(owner)}.`, {
      hint: 'Use `takeOver` (--take-over) to take it over: that installation then loses it.',
      field: 'takeOver',
    });
  }
  const user = theirs.find((holder) => holder.state !== 'stopped');
  if (user !== undefined) {
    throw new BerthError(
      'in_use',
      `${user.runtime} of ${ownerWords(owner)} uses the volume ${name} (${user.state}).`,
      {
        hint: `Stop it there, or with \`docker stop ${user.runtime}\`, then try again.`,
      },
    );
  }
}
