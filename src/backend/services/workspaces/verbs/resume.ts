import type { Operation } from '../../../../api/operations/schemas';
import type { WorkspaceState } from '../../../../api/rules/lifecycle';
import type { OperationContext } from '../../operations/operation-context';
import { runVerb, type VerbDeps } from './run-verb';

/** Goes on after a pause. */
export function resume(deps: VerbDeps, name: string): Operation {
  const work = async (context: OperationContext): Promise<WorkspaceState> => {
    await deps.starter.resume(name, context);
    return 'running';
  };
  return runVerb(deps, 'resume', name, work, { cancellable: false });
}
