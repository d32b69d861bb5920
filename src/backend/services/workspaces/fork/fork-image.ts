/** Images of what a workspace has outside of its volumes, which its forks are made of. Nobody asked for them: they go with the last fork. */
import { randomBytes } from 'node:crypto';
import type { Log } from '../../../machine/log';
import type { Driver } from '../../../drivers/driver';
import type { WorkspaceRegistry } from '../registry';

const repository = 'berth-fork';

/** For the forks of that workspace that are made now. */
export function forkImageOf(workspace: string): string {
  return `${repository}/${workspace}:${randomBytes(4).toString('hex')}`;
}

const isForkImage = (image: string): boolean => image.startsWith(`${repository}/`);

/** To be called when a workspace has gone that was made of `image`, or could not be made. Never fails. */
export async function dropForkImage(
  { registry, log }: { registry: WorkspaceRegistry; log: Log },
  driver: Driver,
  image: string,
): Promise<void> {
  const isUsed = registry.all().some(({ spec, replaced }) => [spec.image, replaced?.image].includes(image));
  if (!isForkImage(image) || isUsed) {
    return;
  }
  try {
    await driver.images.remove(image);
  } catch (error) {
    log.info({ err: error, image }, 'an image that forks were made of stays');
  }
}
