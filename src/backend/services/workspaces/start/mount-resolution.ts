/** Which volume a mount means: names are one space over all kinds of runtimes, and not every kind can mount every volume. */
import { BerthError } from '../../../../api/errors';
import { localTarget } from '../../../../api/rules/runtimes';
import type { Volume } from '../../../../api/volumes/schemas';
import type { Mount } from '../../../../api/workspaces/schemas';
import type { Driver, PlannedMount } from '../../../drivers/driver';
import type { Drivers } from '../../engine/drivers';

/**
 * Each with the folder that it is, where it is one. Throws `not_supported` for a volume that the driver can't mount, and
 * for a folder of this machine where the driver's runtimes are on another one.
 */
export function resolveMounts(
  mounts: readonly Mount[],
  driver: Driver,
  drivers: Drivers,
): Promise<PlannedMount[]> {
  return Promise.all(
    mounts.map(async (mount, index) => {
      const volume = mount.kind === 'volume' ? await findVolume(mount.source, driver, drivers) : undefined;
      if (volume?.kind === 'directory') {
        await refuseFolderElsewhere(volume, driver, index);
        return { ...mount, folder: volume.path };
      }
      if (volume !== undefined && !driver.features.volumeKinds.includes(volume.kind)) {
        throw cantMount(volume, driver, index);
      }
      return mount;
    }),
  );
}

/** A driver that does not answer can't be asked: what it has is not needed by the others. */
export async function findVolume(name: string, own: Driver, drivers: Drivers): Promise<Volume | undefined> {
  const others = drivers.all().filter((driver) => driver !== own);
  for (const driver of [own, ...others]) {
    const found = await driver.volumes.inspect(name).catch((error: unknown) => {
      if (driver === own) {
        throw error;
      }
      return undefined;
    });
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

async function refuseFolderElsewhere({ name }: Volume, driver: Driver, index: number): Promise<void> {
  const target = await driver.target();
  if (target !== localTarget) {
    throw new BerthError(
      'not_supported',
      `The volume ${name} is a folder of this machine, and the ${driver.kind} would be on ${target}.`,
      {
        field: `volumes.${index}`,
        hint: 'Use a volume of the kind `docker`, and upload its files. A microVM runs on this machine: `--runtime microvm`.',
      },
    );
  }
}

function cantMount({ name, kind }: Volume, driver: Driver, index: number): BerthError {
  return new BerthError(
    'not_supported',
    `A ${driver.kind} can't mount ${name}, a volume of the kind "${kind}".`,
    {
      field: `volumes.${index}`,
      hint: 'Use another volume. One of the kind "directory" is for all: `berth volume create NAME --kind directory`.',
    },
  );
}
