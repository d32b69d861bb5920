/** The image that a runtime is made of: found, pulled where it is missing, and made ready. */
import { BerthError } from '../../../api/errors';
import { imageByDefault, imageMissing, isWorkspaceImage } from '../../../api/rules/image-reference';
import type { WorkspaceSpec } from '../../../api/workspaces/schemas';
import type { Driver, PullProgress } from '../../drivers/driver';
import { currentCaller } from '../callers/caller';
import { statusOf, type Drivers } from '../engine/drivers';
import { buildMissing } from './missing-image';
import { startSteps } from '../workspaces/start/start-steps';
import type { OperationContext } from '../operations/operation-context';

/** Progress of a driver as that of an operation. */
export function inBytes(context: OperationContext): (now: PullProgress) => void {
  return ({ done, total, current }) => context.progress({ unit: 'bytes', done, total, current });
}

/**
 * For whatever makes a runtime (create, and each verb that finds none), with a step of its own: what is not here is
 * pulled, `workspace:latest` built, for the owner alone. Throws `image_missing` and `forbidden`.
 */
export async function ensureImage(driver: Driver, image: string, context: OperationContext): Promise<void> {
  const { images } = driver;
  const isBuilt = await context.step(startSteps.image.name, startSteps.image.title, async () => {
    if ((await images.resolve(image)) !== undefined) {
      return true;
    }
    if (isWorkspaceImage(image)) {
      if (currentCaller().kind !== 'owner') {
        throw imageMissing(image);
      }
      return false;
    }
    refuseOthersPull(image);
    await images.pull(image, inBytes(context), context.signal);
    return true;
  });
  if (!isBuilt) {
    await buildMissing(driver, context);
  }
  await prepareImage(driver, image, context);
}

/** The image of a workspace for which none was named: what the settings say, unless it can't be had on this machine. */
export async function usableImage(
  { runtime, image: wanted }: Pick<WorkspaceSpec, 'runtime' | 'image'>,
  drivers: Drivers,
): Promise<string> {
  if (runtime !== 'microvm' || !isWorkspaceImage(wanted)) {
    return wanted;
  }
  // One that can't tell has none.
  const found = await drivers
    .of({ runtime })
    .images.resolve(wanted)
    .catch(() => undefined);
  const builder = drivers.all().find(({ kind }) => kind === 'container');
  const isThere = found !== undefined;
  const canBuild = !isThere && builder !== undefined && (await statusOf(builder)).available;
  return imageByDefault({ runtime, wanted, isThere, canBuild });
}

/**
 * Throws `forbidden` for a caller who is not the owner, and an image that would have to be pulled: for that the owner's
 * logins to registries are used, so that the route `images.pull` is the owner's alone as well.
 */
export async function refusePullForOthers({ images }: Driver, image: string): Promise<void> {
  if (currentCaller().kind !== 'owner' && !isWorkspaceImage(image)) {
    if ((await images.resolve(image)) === undefined) {
      refuseOthersPull(image);
    }
  }
}

function refuseOthersPull(image: string): void {
  if (currentCaller().kind !== 'owner') {
    throw new BerthError(
      'forbidden',
      `The image ${image} is not there, and is not pulled for a token: that would use the registry logins of the owner.`,
      { hint: `Let the owner pull it first: \`berth image pull ${image}\`.`, field: 'image' },
    );
  }
}

/** Converts the image before the runtime needs it, as a step that can be cancelled (microVMs: the root file system). */
export async function prepareImage(
  { images }: Driver,
  image: string,
  context: OperationContext,
): Promise<void> {
  if (images.prepare !== undefined) {
    const prepare = images.prepare.bind(images);
    const leftOut = await context.step(startSteps.prepare.name, startSteps.prepare.title, () =>
      prepare(image, inBytes(context), context.signal),
    );
    leftOut.forEach((line) => context.warn(`The image ${image}: ${line}`));
  }
}
