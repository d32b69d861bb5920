/** Makes a workspace run for a command that needs it running, as an explicit Open does. */
import type { Workspace } from '../api';
import type { EngineClient } from '../client/engine-client';
import { wake } from '../client/wake';
import type { Cli } from './cli';
import { follow } from './operation';

/** The workspace, running: started, resumed or restored when it was not. */
export async function ensureRunning(cli: Cli, client: EngineClient, name: string): Promise<Workspace> {
  const workspace = await client.call('workspaces.get', { params: { name }, signal: cli.signal });
  const operation = await wake(client, workspace);
  if (operation === undefined) {
    return workspace;
  }
  await follow(cli, client, operation);
  return client.call('workspaces.get', { params: { name } });
}
