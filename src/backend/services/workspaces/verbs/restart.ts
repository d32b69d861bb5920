import type { Operation } from '../../../../api/operations/schemas';
import type { StartOptions } from '../start/runtime-preparation';
import { runVerb, type VerbDeps } from './run-verb';
import { startOrStop, stopRuntime } from './steps';

/** Stops and starts it. Volumes that are gone are noticed before anything ends. */
export function restart(deps: VerbDeps, name: string, options: StartOptions = {}): Operation {
  return runVerb(deps, 'restart', name, async (context) => {
    await deps.starter.checkVolumes(name, options.acceptEmpty ?? false);
    await context.step('stop', 'Stop', () => stopRuntime(deps, name));
    return startOrStop(deps, name, context, options);
  });
}
