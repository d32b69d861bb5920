/**
 * A new runtime on the same volumes. What the old one has outside of them is named before it goes, and goes only when
 * the new one has answered: until then the old one waits aside, and comes back when the new one fails.
 */
import { asBerthError, BerthError } from '../../../api/errors';
import type { SshKeys } from '../../ssh/keys';
import type { AdoptedVolumes } from '../../store/adopted-volumes';
import type { Log } from '../../machine/log';
import type { OperationContext } from '../operations/operation-context';
import { describeOwnFiles, measureOwnFiles } from './own-files';
import { giveVolumeBack } from '../volumes/own-volumes';
import { notCarried, type StartOptions } from './start/runtime-preparation';
import type { RuntimeHandle, Runtimes } from './runtime-handle';
import type { WorkspaceRegistry } from './registry';
import type { WorkspaceStarter } from './start/starter';

/** Codes of warnings that a new runtime makes an end of. */
const endedByRebuild: readonly string[] = ['limits', 'ports', notCarried];

export interface RebuildRequest extends StartOptions {
  /** Instead of the one it has. */
  image?: string;
  /** Without it a rebuild that removes files answers what these are. */
  confirm?: boolean;
}

export interface ReplacementDeps {
  registry: WorkspaceRegistry;
  runtimes: Runtimes;
  starter: WorkspaceStarter;
  keys: SshKeys;
  adopted: AdoptedVolumes;
  log: Log;
}

/** How the new runtime comes into the place of the old one. */
export interface Placing extends StartOptions {
  /** The old one is there, stopped: gives up its name. */
  putAside: (() => Promise<void>) | undefined;
  isToRun: boolean;
}

/** Throws `needs_confirmation`, naming what goes; where nothing would go there is nothing to confirm. */
export async function refuseUnconfirmed(name: string, runtime: RuntimeHandle, log: Log): Promise<void> {
  if ((await runtime.inspect()) === undefined) {
    return;
  }
  const own = await measureOwnFiles(runtime, log);
  if (own?.files === 0) {
    return;
  }
  throw new BerthError(
    'needs_confirmation',
    own === undefined
      ? `A rebuild of ${name} removes all that lies outside of its volumes.`
      : `A rebuild of ${name} removes what lies outside of its volumes: ${describeOwnFiles(own)}.`,
    {
      field: 'confirm',
      hint: `Volumes stay. \`berth commit ${name} IMAGE\` makes an image of it first.`,
    },
  );
}

/**
 * `image` in place of what there is. Until the new runtime has done all that its start asks of it the record says what
 * the old one is: of a rebuild that failed, or whose engine was killed, nothing is left but the old runtime.
 */
export async function replaceRuntime(
  deps: ReplacementDeps,
  name: string,
  { image, isToRun, acceptEmpty }: { image: string; isToRun: boolean; acceptEmpty: boolean },
  context: OperationContext,
): Promise<void> {
  const { registry, runtimes } = deps;
  const { imageId, spec } = registry.get(name);
  const runtime = runtimes.of(registry.get(name));
  const old = await runtime.inspect();
  const replaced = { image: spec.image, imageId, runtimeId: old?.id };
  await registry.update(name, { replaced, spec: { ...spec, image } });
  const putAside = old === undefined ? undefined : () => runtime.setAside();
  await takePlace(deps, name, { putAside, isToRun, acceptEmpty }, context);
}

/** The part that rebuild and adoption share, once the record has `replaced`. */
export async function takePlace(
  deps: ReplacementDeps,
  name: string,
  { putAside, isToRun, acceptEmpty = false }: Placing,
  context: OperationContext,
): Promise<void> {
  const { registry, runtimes, starter } = deps;
  const runtime = runtimes.of(registry.get(name));
  try {
    if (putAside !== undefined) {
      await context.step('aside', 'Set the old runtime aside', putAside);
    }
    await context.step('create', 'Create the new runtime', () =>
      starter.build(name, context, { acceptEmpty }),
    );
    await (isToRun ? starter.start(name, context, { acceptEmpty }) : starter.tryOut(name, context));
    await runtime.dropAside();
  } catch (error) {
    await goBack(deps, name, context);
    throw error;
  }
  const { warnings } = registry.get(name);
  const kept = warnings.filter(({ code }) => !endedByRebuild.includes(code));
  await registry.update(name, { replaced: undefined, warnings: kept, ownFiles: undefined });
}

/** Says what there is now; the error of the rebuild is the one that tells. */
async function goBack(deps: ReplacementDeps, name: string, context: OperationContext): Promise<void> {
  try {
    const isBack = await settleReplacement(deps, name);
    context.warn(
      isBack
        ? 'The new runtime did not work: the old one is back, with all its files.'
        : 'The new runtime did not work, and the old one is gone.',
    );
  } catch (error) {
    context.warn(
      `The new runtime did not work, and the old one is not back yet: ${asBerthError(error).message} It is tried again with the next verb.`,
    );
  }
}

/**
 * Ends a rebuild or an adoption that did not come to its end, in this engine or in one that was killed: the old runtime
 * comes back, unless the new one has answered. With an adoption the workspace goes. Answers whether the old one is
 * there; does nothing when nothing is to be ended.
 */
export async function settleReplacement(deps: ReplacementDeps, name: string): Promise<boolean> {
  const { registry, runtimes } = deps;
  const { replaced, spec } = registry.get(name);
  if (replaced === undefined) {
    return true;
  }
  const runtime = runtimes.of(registry.get(name));
  await runtime.takeBack();
  const { image, imageId, runtimeId, adoption } = replaced;
  if (runtimeId === undefined) {
    // There was none before.
    await runtime.remove();
  }
  const now = await runtime.inspect();
  const isBack = now?.id === runtimeId;
  if (isBack && adoption !== undefined) {
    await undoAdoption(deps, name, runtime);
    return true;
  }
  await registry.update(
    name,
    isBack
      ? { imageId, runtimeId, spec: { ...spec, image }, replaced: undefined }
      : { imageId: now?.imageId ?? imageId, runtimeId: now?.id, replaced: undefined },
  );
  return isBack;
}

/** The old runtime has its name again: it runs if it did, and nothing here knows of it any more. */
async function undoAdoption(deps: ReplacementDeps, name: string, runtime: RuntimeHandle): Promise<void> {
  const { registry, keys, log } = deps;
  const adoption = registry.get(name).replaced?.adoption;
  if (adoption?.wasRunning === true) {
    try {
      await runtime.start({ anyOwner: true });
    } catch (error) {
      if (asBerthError(error).code === 'runtime_unavailable') {
        throw error;
      }
      // It is whole, and its owner can start it.
      log.warn({ err: error, workspace: name }, 'the old runtime was not started again');
    }
  }
  for (const volume of adoption?.takenOver ?? []) {
    await giveVolumeBack(deps, runtime.driver, volume);
  }
  await keys.forgetHostKey(name);
  await registry.remove(name);
}
