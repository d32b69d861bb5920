/** Which volumes are this installation's to use and to remove, and how others' become so. */
import { ownerWords } from '../../../api/rules/owner';
import type { Volume } from '../../../api/volumes/schemas';
import { isDrivenBy } from '../engine/drivers';
import type { Driver } from '../../drivers/driver';
import type { AdoptedVolumes } from '../../store/adopted-volumes';
import type { Log } from '../../machine/log';
import type { WorkspaceRegistry } from '../workspaces/registry';

interface Takings {
  adopted: AdoptedVolumes;
}

/** Answers whether it was there. `warn` gets a message of one that stays, as another installation has it. */
export async function removeOwnVolume(
  { adopted }: Takings,
  driver: Driver,
  name: string,
  warn: (message: string) => void,
): Promise<boolean> {
  const found = await driver.volumes.inspect(name);
  if (found?.owner !== undefined) {
    warn(`The volume ${name} stays: it belongs to ${ownerWords(found.owner)}.`);
    return false;
  }
  // Versions before marked no volume: that another installation took it over shows in what holds it.
  const holder = found?.holders.find(({ owner }) => owner !== undefined);
  if (holder?.owner !== undefined) {
    warn(`The volume ${name} stays: ${holder.runtime} of ${ownerWords(holder.owner)} has it.`);
    return false;
  }
  // Also when it is not there: what a removal left that was cut off goes as well.
  await removeVolume({ adopted }, driver, name);
  return found !== undefined;
}

/** With its mark, and its place in the list, so that another one that gets the name is not taken for it. */
export function removeVolume({ adopted }: Takings, driver: Driver, name: string): Promise<void> {
  // Who marks it at the same time would make it anew.
  return adopted.inTurn(name, async () => {
    await driver.volumes.remove(name);
    // What stays in the list, as on a full disk, is known by more than the name, where it is known.
    await adopted.forget(name).catch(() => undefined);
  });
}

/** Makes a volume this installation's: marked for whoever looks, and noted here. Throws `in_use`. */
export function takeVolume(
  { adopted }: Takings,
  driver: Driver,
  volume: string,
  takeOver: boolean,
): Promise<void> {
  return adopted.inTurn(volume, () => take(adopted, driver, volume, takeOver));
}

async function take(
  adopted: AdoptedVolumes,
  driver: Driver,
  volume: string,
  takeOver: boolean,
): Promise<void> {
  const { claims } = driver.volumes;
  const identity = await claims?.claim(volume, takeOver);
  if (identity === undefined) {
    return;
  }
  try {
    await adopted.add(identity);
  } catch (error) {
    await claims?.release(volume).catch(() => undefined);
    throw error;
  }
}

/** Undoes `takeVolume`. */
export function giveVolumeBack({ adopted }: Takings, driver: Driver, volume: string): Promise<void> {
  return adopted.inTurn(volume, async () => {
    await adopted.forget(volume);
    await driver.volumes.claims?.release(volume);
  });
}

/** What becomes of a home that outlives its workspace: one that another tool has made is that tool's again. */
export async function leaveVolume({ adopted }: Takings, driver: Driver, volume: string): Promise<void> {
  // A disk of a microVM may have the name of a volume that was taken over.
  if (driver.volumes.claims !== undefined && adopted.isOfAnotherTool(volume)) {
    await giveVolumeBack({ adopted }, driver, volume);
  }
}

/**
 * Marks again what somebody removed the marks of, and the homes that engines of before have adopted without any. What
 * another installation has taken over since is not listed any more. Marks of what nobody here has go: an engine that was
 * killed left them, and no other tool could remove the volume.
 */
export async function renewClaims(
  { adopted, registry, log }: Takings & { registry: WorkspaceRegistry; log: Log },
  driver: Driver,
): Promise<void> {
  const { claims } = driver.volumes;
  if (claims === undefined) {
    return;
  }
  // What an adoption that was cut off has taken is given back instead. A disk of a microVM may have the same name.
  const isOwn = (volume: string): boolean =>
    registry
      .all()
      .filter(({ spec, replaced }) => isDrivenBy(driver, spec) && replaced?.adoption === undefined)
      .some(({ homeVolume, dockerVolume }) => [homeVolume, dockerVolume].includes(volume));
  for (const { name } of await driver.volumes.list()) {
    if (!adopted.lists(name) && !isOwn(name)) {
      continue;
    }
    try {
      // Looked at again: meanwhile an adoption that was cut off may be undone.
      await adopted.inTurn(name, async () => {
        const volume = await driver.volumes.inspect(name);
        if (volume !== undefined) {
          await renew(adopted, driver, volume, isOwn(name));
        }
      });
    } catch (error) {
      log.warn({ err: error, volume: name }, 'not marked as taken over');
    }
  }
  for (const { volume, isReturned } of await claims.ours()) {
    try {
      await adopted.inTurn(volume, async () => {
        if (adopted.lists(volume) || isOwn(volume)) {
          return;
        }
        await (isReturned ? take(adopted, driver, volume, false) : claims.release(volume));
      });
    } catch (error) {
      log.warn({ err: error, volume }, 'the mark of a volume that was given back stays');
    }
  }
}

async function renew(
  adopted: AdoptedVolumes,
  driver: Driver,
  { name, owner, managed, holders }: Volume,
  isOwn: boolean,
): Promise<void> {
  const isListed = adopted.lists(name);
  // Versions before marked none: what another installation took over then shows in what holds it.
  const isTheirs = holders.some((holder) => holder.owner !== undefined);
  if (isListed && owner !== undefined) {
    await adopted.forget(name);
  } else if (owner === undefined && (managed ? isListed : isOwn && !isTheirs)) {
    await take(adopted, driver, name, false);
  }
}
