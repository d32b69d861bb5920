import assert from 'node:assert/strict';
import { createServer as createSocketServer } from 'node:net';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Operation } from '../../../src/api/operations/schemas';
import { endingHeader } from '../../../src/api/rules/ending';
import type { EngineEvent } from '../../../src/api/events';
import { EngineClient, settled } from '../../../src/client/engine-client';
import { EventStream } from '../../../src/client/events';
import { EngineUnreachable } from '../../../src/client/transport';
import { watchFiles } from '../../../src/client/watch';
import { failure } from '../../support/errors';
import { until } from '../../support/wait';

/** What an engine might answer: its real answers are tested with the server. */
type Answer = (request: IncomingMessage, response: ServerResponse) => void;

describe('client', () => {
  let folder: string;
  let server: Server;
  let client: EngineClient;
  let answer: Answer;
  let asked: string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'berth-c-'));
    asked = [];
    server = createServer((request, response) => {
      asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
      answer(request, response);
    });
    server.listen(join(folder, 's'));
    await once(server, 'listening');
    client = new EngineClient(join(folder, 's'));
  });
  afterEach(async () => {
    client.dispose();
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });

  const json =
    (body: unknown, status = 200): Answer =>
    (_, response) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
  const operation = (more: Partial<Operation>): Operation => ({
    ...{ id: 'o1', kind: 'test', title: 'Test', status: 'running', cancellable: true },
    ...{ startedAt: '2026-01-01T00:00:00Z', steps: [], warnings: [], ...more },
  });

  describe('calls', () => {
    it('fill the path, the query and the body', async () => {
      let body = '';
      answer = (request, response) => {
        request.on('data', (chunk: Buffer) => (body += chunk.toString()));
        request.on('end', () => json({})(request, response));
      };
      await client.call('workspaces.delete', {
        params: { name: 'a' },
        query: { wait: 5, keepVolumes: true },
      });
      await client.call('files.stat', { params: { volume: 'a b/c' }, query: { path: '/x y&z?' } });
      await client.call('workspaces.update', { params: { name: 'a' }, body: { label: 'ü' } });
      await client.call('volumes.get', { params: { volume: 'v' }, query: { usage: undefined } });
      assert.deepEqual(asked, [
        'DELETE /v1/workspaces/a?wait=5&keepVolumes=true',
        'GET /v1/volumes/a%20b%2Fc/files/stat?path=%2Fx+y%26z%3F',
        'PATCH /v1/workspaces/a',
        'GET /v1/volumes/v',
      ]);
      assert.equal(body, '{"label":"ü"}');
      await assert.rejects(
        client.call('workspaces.get', { params: { name: '' } }),
        /needs a value for "name"/,
      );
    });

    it('turn an error of the engine back into what it was', async () => {
      answer = json({ error: { code: 'in_use', message: 'held', hint: 'let go', field: 'volume' } }, 409);
      const error = await failure(client.call('engine.info', {}), 'in_use');
      assert.deepEqual(error.toBody(), { code: 'in_use', message: 'held', hint: 'let go', field: 'volume' });
    });

    it('tell what else was answered', async () => {
      answer = (_, response) => response.writeHead(502).end('<html>Bad Gateway');
      assert.match((await failure(client.call('engine.info', {}), 'internal')).message, /502: <html>/);
      answer = json({ error: { code: 'from the future', message: 'x' } }, 404);
      await failure(client.call('engine.info', {}), 'not_found');
    });

    it('say that there is no engine, or that it went away in the middle', async () => {
      const nobody = new EngineClient(join(folder, 'none'));
      assert((await failure(nobody.call('engine.info', {}))) instanceof EngineUnreachable);
      answer = (request) => request.socket.destroy();
      const gone = await failure(client.call('engine.info', {}), 'runtime_unavailable');
      assert(gone instanceof EngineUnreachable);
      nobody.dispose();
    });

    it('are sent again when the engine did nothing of them, once another runs, and only then', async () => {
      let revived = 0;
      let next: Answer = json({ ok: true });
      const reviving = new EngineClient(join(folder, 's'), () => {
        answer = next;
        revived += 1;
        return Promise.resolve();
      });
      const create = () => reviving.call('workspaces.start', { params: { name: 'demo' } });
      answer = (_, response) => {
        response.writeHead(503, { 'content-type': 'application/json', [endingHeader]: 'true' });
        response.end('{"error":{"code":"runtime_unavailable","message":"ending"}}');
      };
      const ending = answer;
      assert.deepEqual([await create(), revived, asked.length], [{ ok: true }, 1, 2]);
      next = answer = ending;
      assert((await failure(create(), 'runtime_unavailable')) instanceof EngineUnreachable);
      assert.equal(revived, 2, 'once for a request');
      answer = json({ error: { code: 'runtime_unavailable', message: 'no Docker' } }, 503);
      await failure(create(), 'runtime_unavailable');
      answer = (request) => request.socket.destroy();
      await failure(create(), 'runtime_unavailable');
      assert.equal(revived, 2, 'what was read may have been done');
      answer = ending;
      await failure(reviving.callRunning('engine.info', {}), 'runtime_unavailable');
      reviving.dispose();
      await failure(create(), 'runtime_unavailable');
      assert.equal(revived, 2);
    });

    it('are sent again when the connection was closed with them unread in it', async () => {
      let revived = 0;
      const reviving = new EngineClient(join(folder, 'deaf'), () => {
        revived += 1;
        isDeaf = false;
        return Promise.resolve();
      });
      answer = json({ ok: true });
      let isDeaf = true;
      const deaf = createSocketServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
        if (isDeaf) {
          setTimeout(() => socket.destroy(), 50);
        } else {
          server.emit('connection', socket.resume());
        }
      });
      deaf.listen(join(folder, 'deaf'));
      await once(deaf, 'listening');
      try {
        const start = reviving.call('workspaces.start', { params: { name: 'demo' } });
        assert.deepEqual([await start, revived], [{ ok: true }, 1]);
      } finally {
        reviving.dispose();
        deaf.close();
      }
    });

    it('are cancelled, and tell cancelling from waiting too long', async () => {
      answer = () => undefined;
      const abort = new AbortController();
      const call = client.call('engine.info', { signal: abort.signal });
      setTimeout(() => abort.abort(), 10);
      await failure(call, 'cancelled');
      const late = await failure(client.call('engine.info', { signal: AbortSignal.timeout(20) }), 'timeout');
      assert.match(late.message, /did not answer in time/);
    });

    it('close the file of an upload that is refused half-way', async () => {
      answer = (request, response) => {
        request.once('data', () => {
          json({ error: { code: 'no_space', message: 'full' } }, 507)(request, response);
          response.once('finish', () => request.destroy());
        });
      };
      const body = new PassThrough();
      body.write(Buffer.alloc(1_000));
      const upload = client.writeFile('data', '/a', body, { create: true, overwrite: true });
      await failure(upload, 'no_space');
      await until('it is closed', () => body.destroyed);
    });
  });

  describe('waitFor', () => {
    it('asks until the operation has ended', async () => {
      const states: Operation[] = [operation({}), operation({}), operation({ status: 'succeeded' })];
      answer = (request, response) => json(states.shift())(request, response);
      const ended = await client.waitFor(operation({}));
      assert.equal(ended.status, 'succeeded');
      assert.equal(asked.length, 3);
      assert.equal(asked[0], 'GET /v1/operations/o1?wait=30000');
    });

    it('throws the error of one that failed, and asks nothing of one that has ended', async () => {
      const error = { code: 'no_space', message: 'full', hint: 'free', field: 'x' };
      const thrown = await failure(client.waitFor(operation({ status: 'failed', error })), 'no_space');
      assert.deepEqual(thrown.toBody(), error);
      assert.deepEqual(asked, []);
      await failure(() => settled(operation({ status: 'cancelled' })), 'cancelled');
      await failure(() => settled(operation({ status: 'interrupted' })), 'internal');
    });

    it('cancels the operation when it is told to stop', async () => {
      let cancelled = false;
      answer = (request, response) => {
        cancelled ||= request.method === 'DELETE';
        const body = operation({ status: cancelled ? 'cancelled' : 'running' });
        setTimeout(() => json(body)(request, response), 5);
      };
      const abort = new AbortController();
      const waiting = client.waitFor(operation({}), abort.signal);
      setTimeout(() => abort.abort(), 15);
      await failure(waiting, 'cancelled');
      assert(asked.includes('DELETE /v1/operations/o1'));
      cancelled = false;
      await failure(client.waitFor(operation({}), AbortSignal.abort()), 'cancelled');
    });
  });

  describe('events', () => {
    function follow() {
      const seen = { events: [] as EngineEvent[], connected: 0, errors: [] as unknown[] };
      const stream = new EventStream(() => Promise.resolve(client.transport), {
        event: (event) => seen.events.push(event),
        connected: () => (seen.connected += 1),
        disconnected: (error) => seen.errors.push(error),
      });
      return { seen, stream };
    }
    const block = (id: number) =>
      `id: ${id}\ndata: ${JSON.stringify({ id, type: 'workspace.deleted', payload: { name: `ü${id}` } })}\n\n`;

    it('come whole, however they are cut into pieces', async () => {
      answer = (_, response) => {
        const bytes = Buffer.from(`: open\n\n${block(1)}${block(2)}`);
        let at = 0;
        const timer = setInterval(() => {
          response.write(bytes.subarray(at, (at += 7)));
          if (at >= bytes.length) {
            clearInterval(timer);
          }
        }, 1);
      };
      const { seen, stream } = follow();
      await until('both came', () => seen.events.length === 2);
      stream.dispose();
      assert.deepEqual(
        seen.events.map(({ payload }) => payload),
        [{ name: 'ü1' }, { name: 'ü2' }],
      );
    });

    it('reconnect after the last id', async () => {
      const lastIds: unknown[] = [];
      answer = (request, response) => {
        lastIds.push(request.headers['last-event-id']);
        response.write(block(lastIds.length));
        if (lastIds.length === 1) {
          setTimeout(() => response.destroy(), 5);
        }
      };
      const { seen, stream } = follow();
      await until('it is back', () => seen.events.length === 2);
      stream.dispose();
      assert.deepEqual(lastIds, [undefined, '1']);
      assert.equal(seen.connected, 2);
      assert.equal(seen.errors.length, 1);
    });

    it('end when told to, and try no more', async () => {
      answer = (_, response) => response.write(': open\n\n');
      const { seen, stream } = follow();
      await until('it is open', () => seen.connected === 1);
      stream.dispose();
      await new Promise((resolve) => setTimeout(resolve, 350));
      assert.equal(asked.length, 1);
      assert.deepEqual(seen.errors, []);
    });
  });

  it('watches tell changes, and that they ended', async () => {
    let open: ServerResponse | undefined;
    answer = (_, response) => {
      open = response;
      response.write(': open\n\ndata: [{"type":"created","path":"/a"}]\n\n');
    };
    const changes: unknown[] = [];
    const ended: unknown[] = [];
    const target = { volume: 'data', path: '/', recursive: true };
    const listener = {
      changes: (some: unknown) => changes.push(some),
      ended: (error: unknown) => ended.push(error),
    };
    watchFiles(client, target, listener);
    await until('it came', () => changes.length === 1);
    assert.deepEqual(changes, [[{ type: 'created', path: '/a' }]]);
    open?.end();
    await until('it ended', () => ended.length === 1);
    const second = watchFiles(client, target, listener);
    await until('it came', () => changes.length === 2);
    second.dispose();
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(ended.length, 1, 'disposed: nothing to tell');
  });
});
