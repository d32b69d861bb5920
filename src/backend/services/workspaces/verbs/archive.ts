import type { Operation } from '../../../../api/operations/schemas';
import type { WorkspaceState } from '../../../../api/rules/lifecycle';
import type { OperationContext } from '../../operations/operation-context';
import { noteOwnFiles } from '../own-files';
import { runVerb, type VerbDeps } from './run-verb';
import { stopRuntime } from './steps';

/** Ends what runs. The runtime's own files stay where they are: nothing but a delete or a rebuild removes them. */
export function archive(deps: VerbDeps, name: string): Operation {
  const work = async (context: OperationContext): Promise<WorkspaceState> => {
    await context.step('stop', 'Stop', () => stopRuntime(deps, name));
    await context.step('measure', 'Measure what stays', () => noteOwnFiles(deps, name, context));
    return 'archived';
  };
  return runVerb(deps, 'archive', name, work, { cancellable: false });
}
