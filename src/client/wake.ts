/** Makes a workspace run for whoever wants to use it: opens a window, logs in. */
import type { Operation, Workspace } from '../api';
import { goalOf, isInTransition, wakingVerb } from '../api/rules/lifecycle';
import type { EngineClient } from './engine-client';

/**
 * Begins what makes it run, or finds that it is under way; undefined: it runs. Throws `illegal_state` with what to do
 * first where nothing leads there, e.g. after an error.
 */
export async function wake(
  client: Pick<EngineClient, 'call'>,
  { name, state, operations }: Pick<Workspace, 'name' | 'state' | 'operations'>,
): Promise<Operation | undefined> {
  if (state === 'running') {
    return undefined;
  }
  const [underWay] = operations;
  if (underWay !== undefined && isInTransition(state) && goalOf(state) === 'running') {
    return client.call('operations.get', { params: { id: underWay } });
  }
  const verb = wakingVerb(state) ?? 'start';
  return client.call(`workspaces.${verb}`, { params: { name }, query: { wait: 0 } });
}
