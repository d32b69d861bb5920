import type { Operation } from '../../../../api/operations/schemas';
import { runVerb, type VerbDeps } from './run-verb';
import { stopRuntime } from './steps';

/** Ten seconds of grace, then kill; nothing is removed. */
export function stop(deps: VerbDeps, name: string): Operation {
  return runVerb(deps, 'stop', name, () => stopRuntime(deps, name), { cancellable: false });
}
