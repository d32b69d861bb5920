import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { BerthError, type ErrorBody } from '../../../../src/api/errors';
import type { EngineEvent } from '../../../../src/api/events';
import { failure } from '../../../support/errors';
import type { FakeFiles } from '../../../support/fakes/fake-files';
import { useServer, type TestServer } from '../../../support/engine/server';
import { until } from '../../../support/wait';

interface Stream {
  request: ClientRequest;
  response: IncomingMessage;
  text: () => string;
  events: () => { id: number; event: EngineEvent }[];
}

describe('server: streams', () => {
  const { start } = useServer();
  let test: TestServer;
  let files: FakeFiles;
  beforeEach(async () => {
    test = await start();
    test.driver.volumes.add('data');
    files = await test.driver.volumes.files('data');
  });

  async function open(path: string, headers: Record<string, string> = {}): Promise<Stream> {
    const request = httpRequest({ socketPath: test.socket, path, headers, agent: false });
    request.on('error', () => undefined);
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    let text = '';
    response.on('data', (chunk: Buffer) => (text += chunk.toString()));
    response.on('error', () => undefined);
    const events = () =>
      [...text.matchAll(/^id: (\d+)\ndata: (.*)$/gm)].map(([, id, body]) => ({
        id: Number(id),
        event: JSON.parse(body ?? '') as EngineEvent,
      }));
    return { request, response, text: () => text, events };
  }
  const content = (query: string) => `/v1/volumes/data/files/content?${query}`;
  const publish = (name: string) => test.services.events.publish('workspace.deleted', { name });

  it('say why content is refused, however much of it there is, and cut nobody off', async () => {
    for (const readsFirst of [false, true]) {
      files.write = async (_path, given) => {
        assert(given instanceof Readable);
        if (readsFirst) {
          await once(given, 'readable');
          given.read();
        }
        given.destroy();
        throw new BerthError('path_exists', 'There is /big already.');
      };
      for (const size of [1, 300 * 1024, 40 * 1024 * 1024]) {
        const body = Readable.from(
          (function* () {
            for (let left = size; left > 0; left -= 65_536) {
              yield Buffer.alloc(Math.min(left, 65_536));
            }
          })(),
        );
        const error = await failure(
          test.client.writeFile('data', '/big', body, { create: true, overwrite: false }),
        );
        assert.deepEqual([error.code, error.message], ['path_exists', 'There is /big already.'], `${size}`);
      }
    }
  });

  it('end what is written when its client goes away in the middle', async () => {
    let ended: unknown;
    files.write = async (path, given, _options, signal) => {
      try {
        await buffer(given as Readable);
      } catch (error) {
        ended = error;
        signal?.throwIfAborted();
        throw error;
      }
      return files.stat(path);
    };
    const request = httpRequest({
      ...{ socketPath: test.socket, method: 'PUT', path: content('path=/half'), agent: false },
      headers: { 'content-type': 'application/octet-stream', 'content-length': 100_000 },
    });
    request.on('error', () => undefined);
    request.write(Buffer.alloc(1000));
    await new Promise((resolve) => setTimeout(resolve, 50));
    request.destroy();
    await until('it has ended', () => ended !== undefined);
    assert(ended instanceof BerthError && ended.code === 'gone');
  });

  describe('events', () => {
    it('come with ids, from now on; the stream is open at once', async () => {
      const stream = await open('/v1/events');
      assert.equal(stream.response.headers['content-type'], 'text/event-stream');
      await until('it is open', () => stream.text().startsWith(': open\n\n'));
      publish('one');
      await until('it came', () => stream.events().length === 1);
      const [{ id, event }] = stream.events() as [{ id: number; event: EngineEvent }];
      assert.equal(id, event.id);
      assert.deepEqual(event.payload, { name: 'one' });
      stream.request.destroy();
    });

    it('are refused to who has seen what is no event', async () => {
      for (const id of ['x', '-1', '1.5', '1e3', '99999999999999999999']) {
        const { response, text } = await open('/v1/events', { 'last-event-id': id });
        await once(response, 'end');
        assert.equal(response.statusCode, 400, id);
        const { error } = JSON.parse(text()) as { error: ErrorBody };
        assert.deepEqual([error.code, error.field], ['bad_request', 'last-event-id']);
      }
    });

    it('go on after the last id that a client has seen', async () => {
      const first = await open('/v1/events');
      publish('one');
      await until('it came', () => first.events().length === 1);
      first.request.destroy();
      publish('two');
      publish('three');
      const again = await open('/v1/events', { 'last-event-id': String(first.events()[0]?.id) });
      await until('they came', () => again.events().length === 2);
      assert.deepEqual(
        again.events().map(({ event }) => event.payload),
        [{ name: 'two' }, { name: 'three' }],
      );
      again.request.destroy();
      const stale = await open('/v1/events', { 'last-event-id': '12' });
      await until('it is told', () => stale.events()[0]?.event.type === 'reset');
      stale.request.destroy();
    });

    it('keep the engine, and are let go when the client goes', async () => {
      const streams = await Promise.all([open('/v1/events'), open('/v1/events')]);
      await until('both are counted', () => test.services.events.subscriberCount === 2);
      assert.equal((await test.client.call('engine.info', {})).clients, 2);
      assert.equal(test.services.lifetime.reasonToStay, 'a client is connected');
      streams.forEach(({ request }) => request.destroy());
      await until('both are gone', () => test.services.events.subscriberCount === 0);
      await until('it may go', () => test.services.lifetime.reasonToStay === undefined);
    });
  });

  describe('contents of files', () => {
    it('go up and down as they are, megabytes of them, past the limit of JSON bodies', async () => {
      const bytes = Buffer.alloc(20 * 1024 * 1024, 'berth');
      const body = Readable.from([bytes.subarray(0, 100), bytes.subarray(100)]);
      const entry = await test.client.writeFile('data', '/a', body, { create: true, overwrite: true });
      assert.equal(entry.size, bytes.length);
      assert((await test.client.readFile('data', '/a')).equals(bytes));
      const part = await test.client.readFile('data', '/a', { offset: 5, length: 5 });
      assert.equal(part.toString(), 'berth');
      assert.deepEqual(test.payloads('files.changed'), [
        { volume: 'data', changes: [{ type: 'changed', path: '/a' }] },
      ]);
    });

    it('carry their options', async () => {
      await test.client.writeFile('data', '/a b&c', Buffer.from('x'), {
        create: false,
        overwrite: true,
        mode: 0o600,
      });
      await test.client.writeFile('data', '/d', Buffer.alloc(0), { create: true, overwrite: false });
      assert.deepEqual(files.writes, [
        { path: '/a b&c', options: { create: false, overwrite: true, mode: 0o600 } },
        { path: '/d', options: { create: true, overwrite: false } },
      ]);
      const put = await test.server.inject({
        ...{ method: 'PUT', url: content('path=/e'), payload: 'x' },
        headers: { 'content-type': 'application/octet-stream' },
      });
      assert.equal(put.statusCode, 200, put.body);
      assert.deepEqual(files.writes[2]?.options, { create: true, overwrite: true }, 'defaults');
    });

    it('are refused in another form, and nothing is written', async () => {
      for (const [type, payload] of [
        ['application/json', '{}'],
        ['text/plain', 'x'],
        ['application/x-www-form-urlencoded', 'x'],
        [undefined, 'x'],
        [undefined, undefined],
      ]) {
        const answer = await test.server.inject({
          ...{ method: 'PUT', url: content('path=/a') },
          ...(payload !== undefined && {
            payload,
            headers: type === undefined ? {} : { 'content-type': type },
          }),
        });
        assert.equal(answer.statusCode, 400, answer.body);
        assert.match(answer.json<{ error: ErrorBody }>().error.hint ?? '', /octet-stream/);
      }
      assert.deepEqual(files.writes, []);
    });

    it('are not written when the client breaks off', async () => {
      const outgoing = httpRequest({
        ...{ socketPath: test.socket, method: 'PUT', path: content('path=/a') },
        headers: { 'content-type': 'application/octet-stream', 'content-length': '1000' },
      });
      outgoing.on('error', () => undefined);
      outgoing.write('half');
      await until('it is being written', () => files.writes.length === 1);
      outgoing.destroy();
      await until('it is given up', () => test.services.lifetime.reasonToStay === undefined);
      assert.equal(files.contents.has('/a'), false);
      assert.deepEqual(test.payloads('files.changed'), []);
    });

    it('that are missing are an error in JSON, before the first byte', async () => {
      await failure(test.client.readFile('data', '/none'), 'path_not_found');
      await failure(test.client.readFile('none', '/a'), 'not_found');
      const bad = await test.server.inject({ method: 'GET', url: content('path=a') });
      assert.equal(bad.json<{ error: ErrorBody }>().error.field, 'path');
    });

    it('come as a tar of a folder', async () => {
      const stream = await open('/v1/volumes/data/files/archive?path=/src');
      await once(stream.response, 'end');
      assert.equal(stream.text(), 'tar of /src');
      assert.equal(stream.response.headers['content-type'], 'application/x-tar');
    });
  });

  it('a request for each operation on files tells what it changed', async () => {
    files.contents.set('/a', Buffer.from('x'));
    const post = async (what: string, payload: object) => {
      const answer = await test.server.inject({
        ...{ method: 'POST', url: `/v1/volumes/data/files/${what}`, payload },
      });
      assert.equal(answer.statusCode, 200, answer.body);
    };
    await post('mkdir', { path: '/new' });
    await post('rename', { from: '/a', to: '/b' });
    await post('copy', { from: '/b', to: '/c' });
    await post('chmod', { path: '/c', mode: 0o755 });
    await post('remove', { path: '/c' });
    const told = test
      .payloads('files.changed')
      .map(({ changes }) => changes.map(({ type, path }) => `${type} ${path}`).join());
    assert.deepEqual(told, [
      'created /new',
      'deleted /a,created /b',
      'created /c',
      'changed /c',
      'deleted /c',
    ]);
    const failing = await test.server.inject({
      ...{ method: 'POST', url: '/v1/volumes/data/files/rename', payload: { from: '/none', to: '/x' } },
    });
    assert.equal(failing.statusCode, 404);
    assert.equal(test.payloads('files.changed').length, 5, 'and of nothing that failed');
  });

  describe('watches', () => {
    it('tell changes until the client goes', async () => {
      const stream = await open('/v1/volumes/data/files/watch?path=/src&recursive=false');
      await until('it is watched', () => files.watchers.size === 1);
      files.watchers.forEach((report) => report([{ type: 'created', path: '/src/a' }]));
      await until('it came', () => stream.text().includes('data: [{"type":"created","path":"/src/a"}]'));
      stream.request.destroy();
      await until('it is let go', () => files.watchers.size === 0);
      await until('it may go', () => test.services.lifetime.reasonToStay === undefined);
    });

    it('count as clients of the workspace whose home it is: it is not idle', async () => {
      await test.create('demo');
      const stream = await open('/v1/volumes/workspace-demo/files/watch');
      await until('it is counted', () => test.services.access.sessionsOf('demo') === 1);
      stream.request.destroy();
      await until('it is let go', () => test.services.access.sessionsOf('demo') === 0);
    });

    it('are let go also when the client went before they began', async () => {
      let begin = (): void => undefined;
      files.beforeWatch = new Promise((resolve) => (begin = resolve));
      const request = httpRequest({ socketPath: test.socket, path: '/v1/volumes/data/files/watch' });
      request.on('error', () => undefined);
      request.end();
      await until('it is asked for', () => test.services.lifetime.reasonToStay !== undefined);
      request.destroy();
      await until('the client is gone', () => test.services.lifetime.reasonToStay === undefined);
      begin();
      await new Promise((resolve) => setTimeout(resolve, 30));
      assert.equal(files.watchers.size, 0);
      assert.equal(test.services.lifetime.reasonToStay, undefined);
    });
  });

  describe('logs', () => {
    beforeEach(() => test.create('demo'));

    it('end by themselves, as plain text', async () => {
      const stream = await open('/v1/workspaces/demo/logs?tail=7');
      await once(stream.response, 'end');
      assert.equal(stream.text(), 'tail 7\n');
      assert.match(stream.response.headers['content-type'] ?? '', /^text\/plain/);
    });

    it('are followed until the client goes', async () => {
      const stream = await open('/v1/workspaces/demo/logs?follow=true');
      await until('it came', () => stream.text() === 'tail 1000\n');
      assert.equal(test.services.lifetime.reasonToStay, 'a client is connected');
      stream.request.destroy();
      await until('it may go', () => test.services.lifetime.reasonToStay === undefined);
    });

    it('of what is not there are an error', async () => {
      await failure(test.client.logs('none'), 'not_found');
    });
  });
});
