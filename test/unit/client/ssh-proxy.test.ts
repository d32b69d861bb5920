import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { BerthError } from '../../../src/api/errors';
import { lineOf, reach, type Engine, type Times } from '../../../src/client/ssh-proxy/proxy';
import { openServer } from '../../../src/client/ssh-proxy/server';
import type { EngineClient } from '../../../src/client/engine-client';

const times: Times = { quickMs: 150, serverMs: 500, workMs: 1_000, pollMs: 5 };

describe('client/ssh-proxy', () => {
  const servers: Server[] = [];

  /** Says `greeting`, or nothing. */
  async function serve(greeting?: string): Promise<number> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      if (greeting !== undefined) {
        socket.write(greeting);
        socket.pipe(socket);
      }
    });
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return (server.address() as AddressInfo).port;
  }

  afterEach(() => servers.splice(0).forEach((server) => server.close()));

  /** An engine whose workspace goes through `states`, one for each look. */
  function engineWith(states: string[], port: number, onResume: () => void = () => undefined): Engine {
    const client = {
      call: (id: string) => {
        if (id === 'workspaces.ssh') {
          return Promise.resolve({ port });
        }
        if (id === 'workspaces.resume') {
          onResume();
          return Promise.resolve({ id: 'o' });
        }
        const state = states.length > 1 ? states.shift() : states[0];
        return Promise.resolve({
          name: 'demo',
          state,
          ...(state === 'error' && { problem: { message: 'No\nimage.' } }),
        });
      },
      waitFor: (operation: unknown) => Promise.resolve(operation),
      dispose: () => undefined,
    };
    return {
      isRunning: () => Promise.resolve(true),
      connect: () => Promise.resolve(client as unknown as EngineClient),
    };
  }

  const asleep: Engine = {
    isRunning: () => Promise.resolve(false),
    connect: () => Promise.reject(new BerthError('internal', 'It was started.')),
  };

  it('hands on all that the server said, and no other server', async () => {
    const port = await serve('SSH-2.0-x\r\nmore');
    const server = await openServer(port, 1_000);
    assert(server);
    assert.equal(server.greeting.toString(), 'SSH-2.0-x\r\nmore');
    server.socket.write('hello');
    server.socket.resume();
    assert.equal(String(await new Promise((done) => server.socket.once('data', done))), 'hello');
    server.socket.destroy();
    assert.equal(await openServer(await serve('HTTP/1.1 200\r\n'), 1_000), undefined);
    assert.equal(await openServer(await serve(), 50), undefined);
  });

  it('connects to what runs by now, whatever the configuration said', async () => {
    const port = await serve('SSH-2.0-x\r\n');
    (await reach({ name: 'demo', port, state: 'stopped' }, asleep, times)).socket.destroy();
  });

  it('starts no engine for what is stopped', async () => {
    const port = await serve();
    for (const [state, remedy] of [
      ['stopped', 'start'],
      ['archived', 'restore'],
    ] as const) {
      await assert.rejects(reach({ name: 'demo', port, state }, asleep, times), (error: unknown) => {
        assert.equal(
          lineOf(error),
          `berth: Workspace demo is ${state}. Run \`berth ${remedy} demo\` first.\n`,
        );
        return true;
      });
    }
    await assert.rejects(reach({ name: 'demo', port, state: 'paused' }, asleep, times), /It was started/);
  });

  it('waits for what is under way, and resumes what is paused, as often as needed', async () => {
    const [silent, port] = [await serve(), await serve('SSH-2.0-x\r\n')];
    let resumed = 0;
    const states = ['starting', 'pausing', 'paused', 'pausing', 'paused', 'running'];
    const engine = engineWith(states, port, () => (resumed += 1));
    (await reach({ name: 'demo', port: silent, state: 'paused' }, engine, times)).socket.destroy();
    assert.equal(resumed, 2);
  });

  it('ends with one line when it is in error, stays busy, or its server is silent', async () => {
    const port = await serve();
    const lines = async (states: string[]): Promise<string> =>
      lineOf(
        await reach({ name: 'demo', port, state: 'error' }, engineWith(states, port), times).catch(
          (error: unknown) => error,
        ),
      );
    assert.equal(
      await lines(['error']),
      'berth: Workspace demo is error (No image.). Run `berth recover demo` first.\n',
    );
    assert.equal(await lines(['stopping']), 'berth: Workspace demo is stopping. Wait until that is done.\n');
    assert.match(await lines(['starting']), /^berth: Workspace demo did not run within 1 s\.\n$/);
    assert.match(
      await lines(['running']),
      /^berth: SSH of workspace demo does not answer on port \d+\. .*\n$/,
    );
  });
});
