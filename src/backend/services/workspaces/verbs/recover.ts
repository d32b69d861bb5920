import type { Operation } from '../../../../api/operations/schemas';
import type { WorkspaceState } from '../../../../api/rules/lifecycle';
import type { OperationContext } from '../../operations/operation-context';
import { isHalted } from '../halted';
import { retrying } from '../retries';
import type { StartOptions } from '../start/runtime-preparation';
import { resume } from './resume';
import { runVerb, type VerbDeps } from './run-verb';
import { stopRuntime } from './steps';

/** The pauses after failed tries. */
export const recoverDelaysMs: readonly number[] = [5_000, 30_000, 120_000];

/** At most three tries, with growing pauses between them. A runtime that is there keeps its own files. */
export function recover(deps: VerbDeps, name: string, options: StartOptions = {}): Operation {
  const { registry, starter, recoverDelaysMs } = deps;
  // Nothing is broken: it goes on with all that is in its memory.
  if (isHalted(registry.get(name))) {
    return resume(deps, name);
  }
  const work = async (context: OperationContext): Promise<WorkspaceState> => {
    await retrying(recoverDelaysMs, context, async () => {
      await starter.checkVolumes(name, options.acceptEmpty ?? false);
      // What is wrong inside is not known: it begins anew.
      await stopRuntime(deps, name);
      await starter.start(name, context, options);
    });
    return 'running';
  };
  return runVerb(deps, 'recover', name, work, { onFailure: 'error' });
}
