import type { Operation } from '../../../../api/operations/schemas';
import type { WorkspaceState } from '../../../../api/rules/lifecycle';
import type { OperationContext } from '../../operations/operation-context';
import { isHalted } from '../halted';
import type { StartOptions } from '../start/runtime-preparation';
import { stepsOfStart } from '../start/start-steps';
import { runVerb, type VerbDeps } from './run-verb';
import { startOrStop } from './steps';

/** Starts a stopped workspace; a paused one goes on. */
export function start(deps: VerbDeps, name: string, options: StartOptions = {}): Operation {
  const record = deps.registry.get(name);
  const wasPaused = record.state === 'paused' || isHalted(record);
  const work = async (context: OperationContext): Promise<WorkspaceState> => {
    if (wasPaused) {
      await deps.starter.resume(name, context);
      return 'running';
    }
    return startOrStop(deps, name, context, options);
  };
  return runVerb(deps, 'start', name, work, { plan: wasPaused ? [] : stepsOfStart(record) });
}
