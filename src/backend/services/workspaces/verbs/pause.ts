import type { Operation } from '../../../../api/operations/schemas';
import type { WorkspaceState } from '../../../../api/rules/lifecycle';
import { runVerb, type VerbDeps } from './run-verb';

/** Freezes all its processes. */
export function pause(deps: VerbDeps, name: string): Operation {
  const { registry, runtimes } = deps;
  const work = async (): Promise<WorkspaceState> => {
    await runtimes.of(registry.get(name)).pause();
    return 'paused';
  };
  return runVerb(deps, 'pause', name, work, { cancellable: false });
}
