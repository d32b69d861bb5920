/** The end of the engine: whoever has come by then is answered, or refused in a way that another engine can be asked. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { Agent, request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { endingHeader } from '../../../../src/api/rules/ending';
import { EngineUnreachable } from '../../../../src/client/transport';
import { useServer, type TestServer } from '../../../support/engine/server';
import { failure } from '../../../support/errors';

describe('server: its end', () => {
  const { start } = useServer();
  let test: TestServer;
  beforeEach(async () => {
    test = await start();
    await test.create('demo', { start: false });
  });

  const isStarted = () => test.driver.runtimes.has('demo');

  it('refuses who has just connected, before anything is done', async () => {
    const starting = test.client.call('workspaces.start', { params: { name: 'demo' } });
    const closed = test.server.close();
    const error = await failure(starting, 'runtime_unavailable');
    assert(error instanceof EngineUnreachable && error.isUntouched, error.message);
    await closed;
    assert.equal(isStarted(), false);
  });

  it('refuses who has connected and asks a little later', async () => {
    const socket = connect(test.socket);
    await once(socket, 'connect');
    const closed = test.server.close();
    await sleep(200);
    socket.write('POST /v1/workspaces/demo/start HTTP/1.1\r\nHost: berth\r\nContent-Length: 0\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString(), new RegExp(`^HTTP/1.1 503 [\\s\\S]*${endingHeader}: true`));
    await closed;
    assert.equal(isStarted(), false);
  });

  it('refuses on a connection that was used before', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = async (): Promise<IncomingMessage> => {
      const outgoing = request({ socketPath: test.socket, agent, path: '/v1/workspaces' }).end();
      const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
      answer.resume();
      await once(answer, 'end');
      return answer;
    };
    assert.equal((await ask()).statusCode, 200);
    const closed = test.server.close();
    const refused = await ask();
    assert.deepEqual([refused.statusCode, refused.headers[endingHeader]], [503, 'true']);
    await closed;
    agent.destroy();
  });

  it('answers what it has begun', async () => {
    const gate = test.driver.hold('status');
    const answer = test.client.call('engine.doctor', {});
    await gate.entered;
    const closed = test.server.close();
    await sleep(100);
    gate.open();
    assert.equal((await answer).checks.length > 0, true);
    await closed;
  });

  it('is found by nobody who comes later, and waits neither for streams nor for operations', async () => {
    const began = performance.now();
    const gate = test.driver.hold('start');
    const waiting = test.client
      .call('workspaces.start', { params: { name: 'demo' }, query: { wait: 30_000 } })
      .catch((error: unknown) => error);
    await gate.entered;
    const closed = test.server.close();
    await sleep(20);
    await assert.rejects(stat(test.socket), { code: 'ENOENT' });
    await closed;
    assert(performance.now() - began < 900);
    const torn = await waiting;
    assert(torn instanceof EngineUnreachable && !torn.isUntouched, 'it has been begun');
    gate.open();
  });
});
