/** Images of what a workspace has outside of its volumes, which its forks are made of. Nobody asked for them: they go with the last fork. */
import { randomBytes } from 'node:crypto';
import { BerthError } from '../../../../api/errors';
import { isLive } from '../../../../api/rules/lifecycle';
import type { Log } from '../../../machine/log';
import type { Driver } from '../../../drivers/driver';
import { injectedInto } from '../../images/commits';
import { inBytes } from '../../images/image-progress';
import type { OperationContext } from '../../operations/operation-context';
import { measureOwnFiles } from '../own-files';
import type { ForkBases } from './bases';
import type { WorkspaceRecord } from '../record';
import type { WorkspaceRegistry } from '../registry';
import type { Runtimes } from '../runtime-handle';

const repository = 'berth-fork';
/** Of what a workspace had before it took a fork over: it is that workspace's own. */
const beforeRepository = 'berth-before-keep';
/** Of what a workspace had when it was deleted. */
const trashRepository = 'berth-trash';

const repositories = { fork: repository, before: beforeRepository, trash: trashRepository } as const;

/** What the image is for, and who is to know its name. */
export interface ImagePurpose {
  purpose?: keyof typeof repositories;
  begin?: (image: string) => Promise<void>;
}

/**
 * An image of what a workspace has outside of its volumes now; undefined where that is nothing. `begin` gets its name before it is made.
 * Throws `illegal_state` for what can't be read while it runs.
 */
export async function imageOfOwn(
  { runtimes, log }: { runtimes: Runtimes; log: Log },
  source: WorkspaceRecord,
  context: OperationContext,
  { purpose = 'fork', begin }: ImagePurpose = {},
): Promise<string | undefined> {
  const runtime = runtimes.of(source);
  const { driver } = runtime;
  const own = (await runtime.inspect()) === undefined ? { files: 0 } : await measureOwnFiles(runtime, log);
  if (own?.files === 0) {
    return undefined;
  }
  if (driver.commit === undefined) {
    context.warn(`What ${source.name} has outside of its volumes is not taken along.`);
    return undefined;
  }
  if (driver.features.commit === 'stopped' && isLive(source.state)) {
    throw new BerthError('illegal_state', `${source.name} is ${source.state}: its own files can't be read.`, {
      hint: `Stop it first: \`berth stop ${source.name}\`.`,
    });
  }
  const image = `${repositories[purpose]}/${source.name}:${randomBytes(4).toString('hex')}`;
  await begin?.(image);
  const warn = (text: string): void => context.warn(text);
  const plan = { image, without: await injectedInto(source), warn, isLocal: true };
  const commit = driver.commit.bind(driver);
  await context.step('commit', 'Keep what it has outside of volumes', () =>
    commit(runtime.name, plan, inBytes(context), context.signal),
  );
  return image;
}

/** A name for an image that comes with a workspace, and goes with it. */
export const newForkImage = (workspace: string): string =>
  `${repository}/${workspace}:${randomBytes(4).toString('hex')}`;

/** A runtime that is made of it has the identity of another one's system. */
export const isForkImage = (image: string): boolean => image.startsWith(`${repository}/`);
const isOurs = (image: string): boolean =>
  Object.values(repositories).some((each) => image.startsWith(`${each}/`));

/** To be called when a workspace has gone that was made of `image`, or could not be made. Never fails. */
export async function dropForkImage(
  { registry, bases, log }: { registry: WorkspaceRegistry; bases: ForkBases; log: Log },
  driver: Driver,
  image: string,
): Promise<void> {
  const isUsed = registry
    .all()
    .some(({ spec, replaced, keptImage }) => [spec.image, replaced?.image, keptImage].includes(image));
  if (!isOurs(image) || isUsed || bases.isHeld(image)) {
    return;
  }
  try {
    await driver.images.remove(image);
  } catch (error) {
    log.info({ err: error, image }, 'an image that forks were made of stays');
  }
}
