import type { Operation } from '../../../../api/operations/schemas';
import type { StartOptions } from '../start/runtime-preparation';
import { runVerb, type VerbDeps } from './run-verb';
import { startOrStop } from './steps';

/** Starts an archived workspace, with its own files on its volumes. */
export function restore(deps: VerbDeps, name: string, options: StartOptions = {}): Operation {
  return runVerb(deps, 'restore', name, (context) => startOrStop(deps, name, context, options), {
    onFailure: 'archived',
  });
}
