import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { BerthError } from '../../../../../../src/api/errors';
import { QmpClient, QmpError, type QmpEvent } from '../../../../../../src/backend/drivers/microvms/qemu/qmp';
import { useTempFolder } from '../../../../../support/temp';
import { until } from '../../../../../support/wait';

interface Request {
  execute: string;
  arguments?: unknown;
  id: number;
}

const greeting = '{"QMP": {"version": {}, "capabilities": []}}\r\n';

/** The other end of the wire: what QEMU does not do on demand. */
class Peer {
  readonly requests: Request[] = [];
  socket: Socket | undefined;

  constructor(readonly server: Server) {
    server.on('connection', (socket) => {
      this.socket = socket;
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        for (const line of chunk.toString().split('\n').filter(Boolean)) {
          const request = JSON.parse(line) as Request;
          if (request.execute === 'qmp_capabilities') {
            this.say({ return: {}, id: request.id });
          } else {
            this.requests.push(request);
          }
        }
      });
    });
  }

  say(message: object): void {
    this.socket?.write(`${JSON.stringify(message)}\n`);
  }
}

describe('the client of QEMU’s machine protocol', () => {
  const folder = useTempFolder();
  let peer: Peer;
  let client: QmpClient;
  const path = (): string => join(folder(), 'qmp');

  async function listen(hello: string): Promise<void> {
    const server = createServer((socket) => socket.write(hello)).listen(path());
    await once(server, 'listening');
    peer = new Peer(server);
  }

  async function connected(): Promise<void> {
    await listen(greeting);
    client = await QmpClient.connect(path(), { timeoutMs: 5_000 });
  }

  afterEach(() => {
    client.close();
    peer.socket?.destroy();
    peer.server.close();
  });

  it('gives each request its own answer, in whatever order they come', async () => {
    await connected();
    const first = client.execute('query-status');
    const second = client.execute('balloon', { value: 7 });
    await until('both are sent', () => peer.requests.length === 2);
    assert.deepEqual(
      peer.requests.map(({ execute, arguments: args }) => [execute, args]),
      [
        ['query-status', undefined],
        ['balloon', { value: 7 }],
      ],
    );
    peer.say({ return: 2, id: peer.requests[1]?.id });
    peer.say({ return: 1, id: peer.requests[0]?.id });
    assert.deepEqual(await Promise.all([first, second]), [1, 2]);
  });

  it('tells errors with their class, and of which command they are', async () => {
    await connected();
    const asked = client.execute('cont');
    await until('it is sent', () => peer.requests.length === 1);
    peer.say({ error: { class: 'DeviceNotFound', desc: 'no such thing' }, id: peer.requests[0]?.id });
    await assert.rejects(asked, (error) => {
      assert(error instanceof QmpError);
      assert.deepEqual(
        [error.command, error.kind, error.message],
        ['cont', 'DeviceNotFound', 'no such thing'],
      );
      return true;
    });
  });

  it('tells events, to whoever listens, until they don’t', async () => {
    await connected();
    const seen: QmpEvent[] = [];
    const stop = client.onEvent((event) => seen.push(event));
    peer.say({ event: 'STOP', timestamp: {} });
    peer.say({ event: 'SHUTDOWN', data: { guest: true } });
    await until('both came', () => seen.length === 2);
    assert.deepEqual(seen, [
      { event: 'STOP', data: {} },
      { event: 'SHUTDOWN', data: { guest: true } },
    ]);
    stop();
    peer.say({ event: 'RESUME' });
    const asked = client.execute('after');
    await until('it is sent', () => peer.requests.length === 1);
    peer.say({ return: 'x', id: peer.requests[0]?.id });
    await asked;
    assert.equal(seen.length, 2);
  });

  it('rejects all that is under way when the connection ends, and all that comes then', async () => {
    await connected();
    const asked = [client.execute('one'), client.execute('two')];
    await until('both are sent', () => peer.requests.length === 2);
    peer.socket?.destroy();
    for (const promise of asked) {
      await assert.rejects(promise, {
        code: 'runtime_unavailable',
        message: /ended before it answered "(one|two)"/,
      });
    }
    await client.closed;
    assert.equal(client.isOpen, false);
    await assert.rejects(client.execute('three'), { code: 'runtime_unavailable' });
  });

  it('gives up on an answer in time, and does not mind that it comes late', async () => {
    await connected();
    await assert.rejects(client.execute('slow', {}, 30), {
      code: 'timeout',
      message: 'QEMU did not answer "slow" within 0.03 s.',
    });
    peer.say({ return: 'late', id: peer.requests[0]?.id });
    const next = client.execute('next');
    await until('it is sent', () => peer.requests.length === 2);
    peer.say({ return: 'in time', id: peer.requests[1]?.id });
    assert.equal(await next, 'in time');
  });

  it('ends a connection that says what is not the protocol', async () => {
    await connected();
    peer.socket?.write('}{\n');
    await client.closed;
    await assert.rejects(client.execute('x'), { code: 'runtime_unavailable' });
  });

  it('waits for a socket that is not there yet, and says so when it never is', async () => {
    const connecting = QmpClient.connect(path(), { timeoutMs: 5_000 });
    await listen(greeting);
    client = await connecting;
    await assert.rejects(QmpClient.connect(join(folder(), 'none'), { timeoutMs: 30 }), { code: 'timeout' });
  });

  it('stops waiting when there is nothing to wait for any more', async () => {
    await connected();
    await assert.rejects(
      QmpClient.connect(join(folder(), 'none'), {
        timeoutMs: 60_000,
        hopeless: () => 'it ended with code 1',
      }),
      (error) => error instanceof BerthError && /it ended with code 1/.test(error.message),
    );
  });

  it('tells when it is not greeted: QEMU serves one client at a time', async () => {
    await connected();
    const silent = createServer(() => undefined).listen(join(folder(), 'silent'));
    await once(silent, 'listening');
    await assert.rejects(QmpClient.connect(join(folder(), 'silent'), { timeoutMs: 20 }), {
      code: 'timeout',
      message: /did not greet/,
    });
    silent.close();
  });
});
