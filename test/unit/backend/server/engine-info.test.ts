import assert from 'node:assert/strict';
import { useServer } from '../../../support/engine/server';

describe('server: what the engine is', () => {
  const { start } = useServer();

  it('is said at once to whoever wants to know no more, also while a driver does not answer', async () => {
    const test = await start();
    test.driver.hold('status');
    const before = test.driver.calls.length;
    const answer = await test.server.inject({ method: 'GET', url: '/v1/engine?drivers=false' });
    const { drivers, version } = answer.json<{ drivers: unknown; version: unknown }>();
    assert.deepEqual({ drivers, version }, { drivers: [], version: '1.0.0' });
    assert.deepEqual(test.driver.calls.slice(before), [], 'no driver was asked');
  });
});
