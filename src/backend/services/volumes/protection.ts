/** Which volumes must not be deleted: the list of them, and what is known of when they were made. */
import type { Volume } from '../../../api/volumes/schemas';
import type { ProtectedVolumes, VolumeKey } from '../../store/protected-volumes';
import type { Driver } from '../../drivers/driver';
import { homeKindOf, type Drivers } from '../engine/drivers';
import type { WorkspaceRecord } from '../workspaces/record';
import type { WorkspaceRegistry } from '../workspaces/registry';

interface Protection {
  guarded: ProtectedVolumes;
  registry: WorkspaceRegistry;
}

/** Throws `illegal_state` for one that is protected, or may be. */
export function refuseGuardedVolume({ guarded, registry }: Protection, volume: VolumeKey): void {
  guarded.refuse(volume, madeAt(registry.all(), volume.name));
}

/** The volume, with `protected` where it is, or may be. */
export function withProtection({ guarded, registry }: Protection, volume: Volume): Volume {
  return guarded.shown(volume, madeAt(registry.all(), volume.name));
}

/** A volume of a workspace as the list has it; what the driver says of it may be more exact. */
export function ownVolumeKey(
  driver: Pick<Driver, 'features'>,
  { spec }: Pick<WorkspaceRecord, 'spec'>,
  name: string,
): VolumeKey {
  return { name, kind: homeKindOf(driver), ...(spec.target !== undefined && { target: spec.target }) };
}

/** After the end of one: where another machine or kind has a volume of that name, its protection stays. */
export async function forgetProtection(
  { guarded, drivers }: { guarded: ProtectedVolumes; drivers: Drivers },
  name: string,
): Promise<void> {
  if (!guarded.lists(name)) {
    return;
  }
  for (const driver of drivers.all()) {
    if ((await driver.volumes.inspect(name)) === undefined) {
      const target = await driver.target();
      await guarded.set({ name, kind: homeKindOf(driver), target }, false);
    }
  }
}

/** Those of a workspace that its create has made are as old as it. */
function madeAt(records: readonly WorkspaceRecord[], volume: string): number | undefined {
  const maker = records.find(({ createdVolumes }) => createdVolumes.includes(volume));
  return maker && Date.parse(maker.createdAt);
}
