/** What the engine tells about volumes and their holders, in the words of the API. */
import type Dockerode from 'dockerode';
import type { Owner } from '../../../../api/common';
import { localTarget } from '../../../../api/rules/runtimes';
import type { Holder, Volume } from '../../../../api/volumes/schemas';
import { claimedLabels } from './claims';
import { isInternalContainer, label, volumeRole } from '../engine/labels';
import type { Ownership } from '../engine/ownership';
import { nameOf, stateOf } from '../runtime/runtime-info';

export interface ListedVolume {
  Name: string;
  /** Null when there are none. */
  Labels: Record<string, string> | null;
  CreatedAt?: string;
}

type HolderIndex = ReadonlyMap<string, readonly Holder[]>;

/** Who has which volume, from one list of all containers. A container that mounts one twice holds it once. */
export function indexHolders(
  containers: readonly Dockerode.ContainerInfo[],
  ownership: Ownership,
): HolderIndex {
  const index = new Map<string, Holder[]>();
  for (const container of containers) {
    if (isInternalContainer(container.Labels)) {
      continue;
    }
    const readOnly = new Map<string, boolean>();
    for (const mount of container.Mounts) {
      if (mount.Type === 'volume' && mount.Name !== undefined) {
        readOnly.set(mount.Name, (readOnly.get(mount.Name) ?? true) && !mount.RW);
      }
    }
    for (const [volume, isReadOnly] of readOnly) {
      const holders = index.get(volume) ?? [];
      holders.push(holderOf(container, isReadOnly, ownership.of(container.Labels)));
      index.set(volume, holders);
    }
  }
  return index;
}

function holderOf(container: Dockerode.ContainerInfo, readOnly: boolean, owner: Owner | undefined): Holder {
  const workspace = (container.Labels as Partial<Record<string, string>>)[label.workspace];
  return {
    runtime: nameOf(container.Names[0] ?? container.Id),
    // Another installation's workspaces may have the names of ours.
    ...(owner === undefined ? workspace !== undefined && { workspace } : { owner }),
    state: stateOf(container.State),
    readOnly,
  };
}

/** `claim`: the labels of its claim. */
export function toVolume(
  volume: ListedVolume,
  holders: HolderIndex,
  ownership: Ownership,
  claim?: Readonly<Partial<Record<string, string>>>,
): Volume {
  const labels = volume.Labels ?? {};
  const owning = claimedLabels(labels, claim);
  const { role, workspace } = volumeRole(volume.Name, labels);
  const owner = ownership.ofVolume(volume.Name, owning);
  const managed = ownership.isOurs(volume.Name, owning);
  return {
    name: volume.Name,
    kind: 'docker',
    // One that was adopted has no labels of ours.
    role: role === 'foreign' && managed ? 'named' : role,
    ...(owner === undefined ? workspace !== undefined && { workspace } : { owner }),
    managed,
    // When it was made tells less: older engines count every change of its folder.
    ...(labels[label.nonce] !== undefined && { id: labels[label.nonce] }),
    ...(volume.CreatedAt !== undefined && { createdAt: new Date(volume.CreatedAt).toISOString() }),
    holders: [...(holders.get(volume.Name) ?? [])],
    labels: withoutNonce(labels),
  };
}

/** Says on which machine it is, where that is another one than this. */
export function onMachine(volume: Volume, target: string): Volume {
  return target === localTarget ? volume : { ...volume, target };
}

function withoutNonce(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => name !== label.nonce));
}
