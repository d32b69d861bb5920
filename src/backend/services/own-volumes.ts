/** Removing a workspace's volumes: of a name that another installation has taken since, nothing here is ours. */
import { ownerWords } from '../../api/owner';
import type { Volume } from '../../api/schemas/volume';
import type { Driver } from '../drivers/driver';
import type { AdoptedVolume } from '../store/adopted-volumes';

/** Answers whether it was there. `warn` is told of one that stays, as it is another installation's. */
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
