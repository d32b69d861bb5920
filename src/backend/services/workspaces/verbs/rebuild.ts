import { checkImage, imageMissing } from '../../../../api/rules/image-reference';
import type { Operation } from '../../../../api/operations/schemas';
import { mayBegin, refuseProtected } from '../../../../api/rules/lifecycle';
import { prepareImage } from '../../images/image-progress';
import type { OperationContext } from '../../operations/operation-context';
import { refuseUnconfirmed, replaceRuntime, type RebuildRequest } from '../replacement';
import { runVerb, type VerbDeps } from './run-verb';
import { startOrStop, stopRuntime } from './steps';

/**
 * A new runtime on the same volumes. Image and consent are looked for first: until both are there, nothing changes.
 * Throws `image_missing`, and `needs_confirmation` where files outside of volumes would go.
 */
export async function rebuild(
  deps: VerbDeps,
  name: string,
  request: RebuildRequest = {},
): Promise<Operation> {
  const { registry, runtimes, starter, log } = deps;
  const record = registry.get(name);
  const { spec: before, state } = record;
  const wanted = request.image ?? before.image;
  checkImage(wanted, before.runtime);
  refuseProtected('rebuild', record);
  mayBegin('rebuild', state, name);
  const runtime = await runtimes.reach(registry.get(name));
  if ((await runtime.driver.images.resolve(wanted)) === undefined) {
    throw imageMissing(wanted);
  }
  if (request.confirm !== true) {
    await refuseUnconfirmed(name, runtime, log);
  }
  const isToRun = registry.get(name).state !== 'stopped';
  const { acceptEmpty = false } = request;
  return runVerb(deps, 'rebuild', name, async (context) => {
    await prepareImage(runtime.driver, wanted, context);
    await starter.checkVolumes(name, acceptEmpty);
    await context.step('stop', 'Stop', () => stopRuntime(deps, name));
    try {
      await replaceRuntime(deps, name, { image: wanted, isToRun, acceptEmpty }, context);
    } catch (error) {
      const isBack = registry.get(name).replaced === undefined;
      await (isToRun && isBack ? startAgain(deps, name, context) : undefined);
      throw error;
    }
    return isToRun ? 'running' : 'stopped';
  });
}

/** What ran before goes on, if it can; the first error is the one that is reported. */
async function startAgain(deps: VerbDeps, name: string, context: OperationContext): Promise<void> {
  await (context.signal.aborted ? undefined : startOrStop(deps, name, context).catch(() => undefined));
}
