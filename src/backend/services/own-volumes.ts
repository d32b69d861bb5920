/** Removing a workspace's volumes: what another installation made, or has taken over since, is not ours to remove. */
import { ownerWords } from '../../api/owner';
import type { Volume } from '../../api/schemas/volume';
import type { Driver } from '../drivers/driver';
import type { AdoptedVolume } from '../store/adopted-volumes';

/** Answers whether it was there. `warn` is told of one that stays, as another installation has it. */
export async function removeOwnVolume(
  driver: Driver,
  name: string,
  warn: (message: string) => void,
): Promise<boolean> {
  const found = await driver.volumes.inspect(name);
  if (found?.owner !== undefined) {
    warn(`The volume ${name} stays: it belongs to ${ownerWords(found.owner)}.`);
    return false;
  }
  // The labels of a volume can't be changed: that another installation took it over shows in what holds it.
  const holder = found?.holders.find(({ owner }) => owner !== undefined);
  if (holder?.owner !== undefined) {
    warn(`The volume ${name} stays: ${holder.runtime} of ${ownerWords(holder.owner)} has it.`);
    return false;
  }
  // Also when it is not there: what a removal left that was cut off goes as well.
  await driver.volumes.remove(name);
  return found !== undefined;
}

/** What a volume is known by once it is taken over. */
export function identityOf({ name, owner, id }: Volume): AdoptedVolume {
  return {
    name,
    ...(owner !== undefined && { installation: owner.installation }),
    ...(id !== undefined && { id }),
  };
}
