/** Volumes of the engine. Two calls answer a list of any length: one for the volumes, one for all holders. */
import { randomUUID } from 'node:crypto';
import { BerthError } from '../../../../api/errors';
import { heldVolume } from '../../../../api/rules/holder';
import { ownerWords } from '../../../../api/rules/owner';
import type { Volume, VolumeCreate } from '../../../../api/volumes/schemas';
import type { VolumeFiles, VolumeUsage } from '../../../files/volume-files';
import type { SnapshotStore } from '../../contract/snapshots';
import type { VolumeStore } from '../../driver';
import { claimsAmong, ownedLabels, type Claims } from './claims';
import { ifMissing, isStatus } from '../engine/docker-errors';
import type { Endpoint } from '../engine/endpoint';
import { endOthersKeepers } from './keeper-container';
import { isInternalVolume, isReservedName, label } from '../engine/labels';
import { reservedVolume, type Ownership } from '../engine/ownership';
import { indexHolders, onMachine, toVolume, type ListedVolume } from './volume-info';

/** What is needed of the keepers. */
export interface VolumeKeepers {
  files(volume: string): Promise<VolumeFiles>;
  usage(volume: string, signal?: AbortSignal): Promise<VolumeUsage>;
  release(volume: string): Promise<void>;
}

export class ContainerVolumes implements VolumeStore {
  /** Being removed: a look into them now would bring a keeper that holds them. */
  private readonly leaving = new Set<string>();

  constructor(
    private readonly endpoint: Endpoint,
    private readonly keepers: () => Promise<VolumeKeepers>,
    private readonly ownership: Ownership,
    readonly claims: Claims,
    readonly snapshots: SnapshotStore & { settled: (volume: string) => Promise<void> },
  ) {}

  async list(): Promise<Volume[]> {
    return this.endpoint.call('list volumes', async (docker, { target }) => {
      const [{ Volumes: volumes }, containers] = await Promise.all([
        // Null instead of an empty list.
        docker.listVolumes() as Promise<{ Volumes: ListedVolume[] | null }>,
        docker.listContainers({ all: true }),
      ]);
      const holders = indexHolders(containers, this.ownership);
      const claims = claimsAmong(containers);
      return (volumes ?? [])
        .filter((volume) => !isInternalVolume(volume.Name, volume.Labels ?? {}))
        .map((volume) => toVolume(volume, holders, this.ownership, claims.get(volume.Name)))
        .map((volume) => onMachine(volume, target));
    });
  }

  /** Volumes that only serve runtimes (tools, bundles) count as not there, as in `list`. */
  async inspect(name: string): Promise<Volume | undefined> {
    return this.endpoint.call(`look at the volume ${name}`, async (docker, { target }) => {
      const [volume, containers] = await Promise.all([
        docker.getVolume(name).inspect().catch(ifMissing) as Promise<ListedVolume | undefined>,
        docker.listContainers({ all: true, filters: { volume: [name] } }),
      ]);
      return volume === undefined || isInternalVolume(name, volume.Labels ?? {})
        ? undefined
        : onMachine(
            toVolume(
              volume,
              indexHolders(containers, this.ownership),
              this.ownership,
              claimsAmong(containers).get(name),
            ),
            target,
          );
    });
  }

  /** Makes a volume. Throws `forbidden` for a name that Berth needs itself, `exists` for one that is taken. */
  async create(spec: VolumeCreate): Promise<Volume> {
    refuseUnsupported(spec);
    if (isReservedName(spec.name)) {
      throw reservedVolume(spec.name);
    }
    const nonce = randomUUID();
    const volume: ListedVolume = await this.endpoint.call(
      `create the volume ${spec.name}`,
      async (docker) => {
        await docker.createVolume({
          Name: spec.name,
          Driver: 'local',
          Labels: {
            ...spec.labels,
            [label.volume]: 'true',
            ...this.ownership.labels,
            [label.nonce]: nonce,
          },
        });
        // When the name is taken, the engine leaves the one that is there as it is.
        return await docker.getVolume(spec.name).inspect();
      },
    );
    if (volume.Labels?.[label.nonce] !== nonce) {
      throw await this.nameTaken(volume);
    }
    return onMachine(toVolume(volume, new Map(), this.ownership), await this.endpoint.target());
  }

  async remove(name: string): Promise<void> {
    this.leaving.add(name);
    try {
      await this.refuseForeign(name);
      await (await this.keepers()).release(name);
      await this.removeReleased(name);
    } finally {
      this.leaving.delete(name);
    }
  }

  private async removeReleased(name: string): Promise<void> {
    await this.endpoint.call(`remove the volume ${name}`, async (docker) => {
      const remove = (): Promise<unknown> => docker.getVolume(name).remove().catch(ifMissing);
      try {
        await remove();
      } catch (error) {
        if (!isStatus(error, 409)) {
          throw error;
        }
        const claim = await this.claims.drop(docker, name);
        const hadKeepers = await endOthersKeepers(docker, name);
        try {
          await remove();
        } catch (held) {
          if (claim !== undefined) {
            await this.claims.restore(docker, name, claim);
          }
          throw isStatus(held, 409) && !hadKeepers ? await this.inUse(name) : held;
        }
      }
    });
  }

  /** Refuses: such volumes have no size. Throws `not_supported`, or `not_found` where there is none. */
  async resize(name: string): Promise<Volume> {
    const volume = await this.inspect(name);
    throw volume === undefined
      ? new BerthError('not_found', `There is no volume ${name}.`)
      : new BerthError(
          'not_supported',
          `${name} is a volume of the container engine: it has no fixed size.`,
          {
            hint: 'It grows with its files. Only disks of microVMs can be resized.',
          },
        );
  }

  async files(name: string): Promise<VolumeFiles> {
    this.refuseLeaving(name);
    await this.snapshots.settled(name);
    return (await this.keepers()).files(name);
  }

  async usage(name: string, signal: AbortSignal): Promise<VolumeUsage> {
    this.refuseLeaving(name);
    await this.snapshots.settled(name);
    return (await this.keepers()).usage(name, signal);
  }

  private async refuseForeign(name: string): Promise<void> {
    const labels = await this.endpoint.call(`look at the volume ${name}`, (docker) =>
      ownedLabels(docker, name),
    );
    this.ownership.refuseVolume(name, labels);
  }

  /** Says by whom, and what to do. */
  private async nameTaken({ Name: name, Labels: own }: ListedVolume): Promise<BerthError> {
    if (isInternalVolume(name, own ?? {})) {
      return reservedVolume(name);
    }
    const labels = await this.endpoint.call(`look at the volume ${name}`, (docker) =>
      ownedLabels(docker, name),
    );
    const owner = this.ownership.ofVolume(name, labels);
    const isOurs = this.ownership.isOurs(name, labels);
    const whose =
      owner === undefined ? (isOurs ? 'made by Berth' : 'made by another tool') : ownerWords(owner);
    return new BerthError('exists', `There is a volume ${name} already, ${whose}.`, {
      hint:
        owner === undefined
          ? 'Use it, or choose another name.'
          : `Choose another name, or take it over: \`berth volume adopt ${name} --take-over\`.`,
      field: 'name',
    });
  }

  private refuseLeaving(name: string): void {
    if (this.leaving.has(name)) {
      throw new BerthError('not_found', `The volume ${name} is being deleted.`);
    }
  }

  private async inUse(name: string): Promise<BerthError> {
    const holders = (await this.inspect(name))?.holders ?? [];
    return heldVolume({ name, kind: 'docker', holders });
  }
}

function refuseUnsupported(spec: VolumeCreate): void {
  if (spec.kind !== undefined && spec.kind !== 'docker') {
    throw new BerthError('not_supported', `The container engine has no volumes of the kind "${spec.kind}".`, {
      hint: 'Leave the kind out, or use microVMs.',
      field: 'kind',
    });
  }
  if (spec.sizeMiB !== undefined) {
    throw new BerthError('not_supported', 'A volume of the container engine has no fixed size.', {
      hint: 'Leave the size out: the volume grows with its files.',
      field: 'sizeMiB',
    });
  }
}
