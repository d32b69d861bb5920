import assert from 'node:assert/strict';
import { useServer } from '../../../support/engine/server';

describe('server: requests without a body', () => {
  const { start } = useServer();

  it('takes a request that says JSON and has no body, where none is needed', async () => {
    const test = await start();
    await test.create('demo');
    const headers = { 'content-type': 'application/json' };
    const stop = await test.server.inject({
      method: 'POST',
      url: '/v1/workspaces/demo/stop?wait=9000',
      headers,
    });
    assert.equal(stop.json<{ status: string }>().status, 'succeeded', stop.body);
    const gone = await test.server.inject({
      method: 'DELETE',
      url: '/v1/workspaces/demo?wait=9000',
      headers,
    });
    assert.equal(gone.json<{ status: string }>().status, 'succeeded', gone.body);
  });
});
