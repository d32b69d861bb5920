/** Makes a workspace run for a command that needs it running, as an explicit Open does. */
import type { Operation, Workspace } from '../api';
import type { EngineClient } from '../client/engine-client';
import type { Cli } from './cli';
import { follow } from './operation';

/** The workspace, running: started, resumed or restored when it was not. */
export async function ensureRunning(cli: Cli, client: EngineClient, name: string): Promise<Workspace> {
  const workspace = await client.call('workspaces.get', { params: { name }, signal: cli.signal });
  if (workspace.state === 'running') {
    return workspace;
  }
  await follow(cli, client, await wake(client, workspace));
  return client.call('workspaces.get', { params: { name } });
}

async function wake(client: EngineClient, { name, state, operations }: Workspace): Promise<Operation> {
  const busyWith = operations[0];
  if (busyWith !== undefined && (state === 'creating' || state === 'starting' || state === 'resuming')) {
    return client.call('operations.get', { params: { id: busyWith } });
  }
  const params = { name };
  switch (state) {
    case 'paused':
      return client.call('workspaces.resume', { params });
    case 'archived':
      return client.call('workspaces.restore', { params });
    default:
      return client.call('workspaces.start', { params });
  }
}
