/** What keeps an engine from giving way to one of another version: whatever its end would cut off. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { WebSocket } from 'ws';
import { EventStream } from '../../../../src/client/events';
import { watchFiles } from '../../../../src/client/watch';
import { useServer, type TestServer } from '../../../support/engine/server';
import { until } from '../../../support/wait';

describe('server: hand-over', () => {
  const { start } = useServer();
  let test: TestServer;
  let events: EventStream | undefined;
  beforeEach(async () => {
    test = await start();
    await test.create('demo');
  });

  const askToStop = () => test.client.call('engine.stop', { body: { onlyIfIdle: true } });
  async function staysFor(what: RegExp, end: () => void): Promise<void> {
    const answer = await askToStop();
    assert.deepEqual([answer.stopping, what.test(answer.reason ?? '')], [false, true], answer.reason);
    end();
    await until('nothing keeps it', () => test.services.ending.reasonToStay === undefined);
  }

  it('waits for terminals and attached commands', async () => {
    test.driver.commands.set('cat', { endless: true });
    const socket = new WebSocket(`ws+unix:${test.socket}:/v1/workspaces/demo/attach`);
    socket.on('error', () => undefined);
    await once(socket, 'open');
    socket.send(JSON.stringify({ argv: ['cat'], tty: true, cols: 80, rows: 24 }));
    await until('it runs', () => test.services.access.sessionsOf('demo') === 1);
    await staysFor(/a terminal or command in demo/, () => socket.terminate());
  });

  it('waits for commands', async () => {
    test.driver.commands.set('sleep', { endless: true });
    const abort = new AbortController();
    const input = { params: { name: 'demo' }, body: { argv: ['sleep'] }, signal: abort.signal };
    const running = test.client.call('workspaces.exec', input).catch(() => undefined);
    await until('it runs', () => test.services.access.sessionsOf('demo') === 1);
    await staysFor(/POST \/v1\/workspaces\/demo\/exec/, () => abort.abort());
    await running;
  });

  it('waits for files that are written', async () => {
    const outgoing = httpRequest({
      ...{ socketPath: test.socket, method: 'PUT' },
      path: '/v1/volumes/workspace-demo/files/content?path=/a',
      headers: { 'content-type': 'application/octet-stream', 'content-length': '1000' },
    });
    outgoing.on('error', () => undefined);
    outgoing.write('half');
    await until('it is being written', () => test.services.work.all.length > 0);
    await staysFor(/PUT \/v1\/volumes\/workspace-demo\/files\/content/, () => outgoing.destroy());
  });

  it('waits for workspaces that are reached through it', async () => {
    test.driver.isElsewhere = true;
    await staysFor(/connections to demo go through it/, () => void test.services.verbs.stop('demo'));
  });

  it('does not wait for windows that listen to events, nor for what looks only', async () => {
    const connected = new Promise<void>((resolve) => {
      const listener = { event: () => undefined, connected: resolve, disconnected: () => undefined };
      events = new EventStream(() => Promise.resolve(test.client.transport), listener);
    });
    await connected;
    const watch = watchFiles(
      test.client,
      { volume: 'workspace-demo', path: '/', recursive: true },
      { changes: () => undefined, ended: () => undefined },
    );
    try {
      assert.equal(test.services.lifetime.reasonToStay, 'a client is connected');
      assert.deepEqual(await askToStop(), { stopping: true });
      await until('it is told to end', () => test.exits === 1);
    } finally {
      events?.dispose();
      watch.dispose();
    }
  });
});
