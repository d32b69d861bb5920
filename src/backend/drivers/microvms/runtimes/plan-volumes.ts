/** The volumes of a plan, there before its machine is. */
import { BerthError } from '../../../../api/errors';
import type { RuntimePlan } from '../../driver';
import type { DiskStore } from '../parts';
import { diskMounts, isShared } from './runtime-plan';

/** Sparse: what is not used takes no room. They can grow later. */
const homeSizeMiB = 16_384;
const dockerSizeMiB = 32_768;

/** Adds the names of those that it makes to `made`. Throws `in_use` for what somebody has. */
export async function makeVolumes(disks: DiskStore, plan: RuntimePlan, made: string[]): Promise<void> {
  for (const { volume, mount, readOnly } of diskMounts(plan).filter((each) => !isShared(each))) {
    if (volume === undefined) {
      if (mount?.kind === 'disk') {
        await disks.checkImage(mount.source, { workspace: plan.workspace, runtime: plan.name, readOnly });
      }
      continue;
    }
    const found = await disks.inspect(volume);
    const holder = found?.holders.find(({ runtime }) => runtime !== plan.name);
    if (holder !== undefined) {
      // Starting would find that out too, with half a workspace made.
      throw new BerthError(
        'in_use',
        `The volume ${volume} is used by ${holder.workspace ?? holder.runtime}.`,
        {
          hint: 'A disk has one user at a time: stop the other one first.',
          field: 'mounts',
        },
      );
    }
    if (found === undefined) {
      await disks.create({ name: volume, kind: 'disk', ...ownDisk(volume, plan) });
      made.push(volume);
    }
  }
}

/** Disks that belong to the workspace itself; a named one gets the default size. */
function ownDisk(volume: string, plan: RuntimePlan): { sizeMiB?: number; labels: Record<string, string> } {
  const role = volume === plan.homeVolume ? 'home' : volume === plan.dockerVolume ? 'docker' : undefined;
  if (role === undefined) {
    return { labels: {} };
  }
  return {
    sizeMiB: role === 'home' ? homeSizeMiB : dockerSizeMiB,
    labels: { 'workspace.name': plan.workspace, 'workspace.managed': 'true', 'berth.role': role },
  };
}
