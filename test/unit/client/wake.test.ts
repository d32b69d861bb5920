import assert from 'node:assert/strict';
import { workspaceStates, type WorkspaceState } from '../../../src/api/rules/lifecycle';
import { EngineClient } from '../../../src/client/engine-client';
import { wake } from '../../../src/client/wake';

/** What is asked of the engine for a workspace in that state. */
async function asked(state: WorkspaceState, operations: string[] = []): Promise<string | undefined> {
  const calls: string[] = [];
  const client = new EngineClient('/nowhere');
  client.call = ((id: string) => {
    calls.push(id);
    return Promise.resolve({ id: 'o' });
  }) as unknown as EngineClient['call'];
  const operation = await wake(client, { name: 'demo', state, operations });
  assert.equal(operation === undefined, calls.length === 0);
  return calls.join(' ') || undefined;
}

describe('client/wake', () => {
  it('asks for what leads to running from each state that lasts', async () => {
    assert.equal(await asked('running'), undefined);
    assert.equal(await asked('stopped'), 'workspaces.start');
    assert.equal(await asked('paused'), 'workspaces.resume');
    assert.equal(await asked('archived'), 'workspaces.restore');
  });

  it('waits for what is under way to it', async () => {
    const ways = [] as WorkspaceState[];
    for (const state of workspaceStates) {
      if ((await asked(state, ['o'])) === 'operations.get') ways.push(state);
    }
    assert.deepEqual(ways, ['creating', 'starting', 'resuming', 'restoring', 'recovering']);
  });

  it('leaves it to the engine to refuse where something else must be done first', async () => {
    for (const state of ['error', 'stopping', 'deleting'] as const) {
      assert.equal(await asked(state, ['o']), 'workspaces.start');
    }
  });
});
