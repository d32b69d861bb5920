import type { Operation } from '../../../../api/operations/schemas';
import { isHalted } from '../halted';
import type { StartOptions } from '../start/runtime-preparation';
import { runVerb, type VerbDeps } from './run-verb';
import { startOrStop } from './steps';

/** Starts a stopped workspace; a paused one goes on. */
export function start(deps: VerbDeps, name: string, options: StartOptions = {}): Operation {
  const record = deps.registry.get(name);
  const wasPaused = record.state === 'paused' || isHalted(record);
  return runVerb(deps, 'start', name, async (context) => {
    if (wasPaused) {
      await deps.starter.resume(name, context);
      return 'running';
    }
    return startOrStop(deps, name, context, options);
  });
}
