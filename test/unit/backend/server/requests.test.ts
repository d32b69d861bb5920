import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { paths } from '../../../../src/api/paths';
import type { ErrorBody } from '../../../../src/api/errors';
import { failure } from '../../../support/errors';
import { fastest } from '../../../support/fastest';
import { useServer, type TestServer } from '../../../support/engine/server';
import { until } from '../../../support/wait';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';

describe('server: requests', () => {
  const { start } = useServer();
  let test: TestServer;
  beforeEach(async () => (test = await start()));

  async function refused(method: Method, url: string, payload?: object, status = 400): Promise<ErrorBody> {
    const answer = await test.server.inject({ method, url, ...(payload !== undefined && { payload }) });
    assert.equal(answer.statusCode, status, answer.body);
    const { error } = answer.json<{ error: ErrorBody }>();
    assert.equal(typeof error.message, 'string');
    return error;
  }

  describe('bad input names its field, and nothing changes', () => {
    const cases: [string, Method, string, object | undefined, string | undefined, RegExp][] = [
      [
        'a bad name',
        'POST',
        '/v1/workspaces',
        { name: 'Bad Name' },
        'name',
        /"name" does not have the right form\.$/,
      ],
      ['no name', 'POST', '/v1/workspaces', {}, 'name', /"name" is missing/],
      [
        'an unknown field',
        'POST',
        '/v1/workspaces',
        { name: 'a', colour: 1 },
        'colour',
        /"colour" is not known/,
      ],
      [
        'a nested unknown field',
        'POST',
        '/v1/workspaces',
        { name: 'a', limits: { cpu: 1 } },
        'limits.cpu',
        /known/,
      ],
      [
        'a limit too small',
        'POST',
        '/v1/workspaces',
        { name: 'a', limits: { cpus: 0 } },
        'limits.cpus',
        />= 0.1/,
      ],
      [
        'text for a number',
        'POST',
        '/v1/workspaces',
        { name: 'a', limits: { cpus: '2' } },
        'limits.cpus',
        /number/,
      ],
      [
        'another word',
        'POST',
        '/v1/workspaces',
        { name: 'a', runtime: 'jail' },
        'runtime',
        /container, microvm/,
      ],
      [
        'a bad variable',
        'POST',
        '/v1/workspaces',
        { name: 'a', env: { 'a b': '1' } },
        'env.a b',
        /not known/,
      ],
      [
        'an option as URL',
        'POST',
        '/v1/workspaces',
        { name: 'a', cloneUrl: '--upload-pack=x' },
        'cloneUrl',
        /option/,
      ],
      ['a label of two lines', 'POST', '/v1/workspaces', { name: 'a', label: 'a\nb' }, 'label', /form/],
      ['an escape in a label', 'PATCH', '/v1/workspaces/demo', { label: 'a\u001b[2J' }, 'label', /form/],
      [
        'a volume label of ours',
        'POST',
        '/v1/volumes',
        { name: 'a', labels: { 'berth.role': 'home' } },
        'labels.berth.role',
        /known/,
      ],
      [
        'a volume label of two lines',
        'POST',
        '/v1/volumes',
        { name: 'a', labels: { a: 'b\nc' } },
        'labels.a',
        /form/,
      ],
      [
        'an image with an empty part',
        'POST',
        '/v1/workspaces',
        { name: 'a', image: 'a//b' },
        'image',
        /not the name of an image/,
      ],
      [
        'a file as the image of a container',
        'POST',
        '/v1/workspaces',
        { name: 'a', image: '/a.ext4' },
        'image',
        /image for microVMs/,
      ],
      [
        'another scheme',
        'PATCH',
        '/v1/engine/settings',
        { dockerHost: 'ftp://x' },
        'dockerHost',
        /address of a container engine/,
      ],
      [
        'a path without a scheme',
        'PATCH',
        '/v1/engine/settings',
        { dockerHost: '/var/run/docker.sock' },
        'dockerHost',
        /address/,
      ],
      [
        'two lines in an address',
        'PATCH',
        '/v1/engine/settings',
        { dockerHost: 'unix:///a\nb' },
        'dockerHost',
        /address/,
      ],
      ['an empty patch', 'PATCH', '/v1/workspaces/demo', {}, undefined, /The request body/],
      ['a body that is a list', 'POST', '/v1/workspaces', [], undefined, /The request body must be object/],
      ['no body at all', 'POST', '/v1/engine/stop', undefined, undefined, /The request body/],
      ['a name in the path', 'GET', '/v1/workspaces/Bad..Name', undefined, 'name', /"name" does not have/],
      ['a wait too long', 'POST', '/v1/workspaces/demo/start?wait=9999999', undefined, 'wait', /<= 600000/],
      [
        'a wait that is no number',
        'POST',
        '/v1/workspaces/demo/start?wait=long',
        undefined,
        'wait',
        /integer/,
      ],
      ['a relative path', 'GET', '/v1/volumes/data/files/stat?path=etc', undefined, 'path', /form/],
      ['no path', 'GET', '/v1/volumes/data/files/stat', undefined, 'path', /missing/],
      [
        'a port too low',
        'PATCH',
        '/v1/engine/settings',
        { portRange: { first: 22, last: 2300 } },
        'portRange.first',
        /1024/,
      ],
      ['an empty command', 'POST', '/v1/workspaces/demo/exec', { argv: [] }, 'argv', /fewer than 1/],
    ];
    for (const [what, method, url, payload, field, message] of cases) {
      it(what, async () => {
        const error = await refused(method, url, payload);
        assert.equal(error.code, 'bad_request');
        assert.equal(error.field, field, error.message);
        assert.match(error.message, message);
      });
    }

    afterEach(() => {
      assert.deepEqual(test.services.workspaces.list(), []);
      assert.deepEqual(test.services.operations.list(), []);
    });
  });

  it('explains a field where the schema does', async () => {
    const error = await refused('POST', '/v1/workspaces', { name: '-' });
    assert.match(error.hint ?? '', /Lowercase letters, digits and hyphens/);
  });

  it('refuses what is no JSON, what pollutes prototypes, and what is too large', async () => {
    const send = (payload: string) =>
      test.server.inject({
        ...{ method: 'POST', url: '/v1/workspaces', payload },
        headers: { 'content-type': 'application/json' },
      });
    for (const payload of ['{', '{"name":"a","__proto__":{"x":1}}', '']) {
      const answer = await send(payload);
      assert.equal(answer.statusCode, 400);
      assert.equal(answer.json<{ error: ErrorBody }>().error.code, 'bad_request');
    }
    const huge = await send(JSON.stringify({ name: 'a', env: { A: 'x'.repeat(17 * 1024 * 1024) } }));
    assert.equal(huge.statusCode, 413);
    assert.equal(huge.json<{ error: ErrorBody }>().error.code, 'too_large');
    const form = await test.server.inject({
      ...{ method: 'POST', url: '/v1/workspaces', payload: 'name=a' },
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    const { error } = form.json<{ error: ErrorBody }>();
    assert.deepEqual([form.statusCode, error.field], [400, 'content-type']);
    assert.match(error.hint ?? '', /`Content-Type: application\/json`/);
  });

  it('answers an unknown route with the place that knows all', async () => {
    const error = await refused('GET', '/v1/nonsense?x=1', undefined, 404);
    assert.equal(error.message, 'There is no GET /v1/nonsense.');
    assert.match(error.hint ?? '', /openapi\.json/);
    await refused('PUT', '/v1/workspaces', undefined, 404);
    await refused('GET', '/v2/workspaces', undefined, 404);
  });

  it('gives errors of services their status, code, hint and field', async () => {
    assert.equal((await refused('GET', '/v1/workspaces/none', undefined, 404)).code, 'not_found');
    test.driver.down = true;
    const gone = await refused('GET', '/v1/volumes', undefined, 503);
    assert.equal(gone.code, 'runtime_unavailable');
    test.driver.down = false;
    await test.create('demo');
    const taken = await refused('POST', '/v1/workspaces', { name: 'demo' }, 409);
    assert.deepEqual([taken.code, taken.field], ['exists', 'name']);
    test.driver.fail('volumes.list', new TypeError('x is not a function'));
    const bug = await refused('GET', '/v1/volumes', undefined, 500);
    assert.deepEqual(bug, { code: 'internal', message: 'x is not a function' });
  });

  it('waits for an operation if asked, and answers as it stands when that is too long', async () => {
    const url = '/v1/workspaces?wait=10000';
    const made = await test.server.inject({ method: 'POST', url, payload: { name: 'demo' } });
    assert.equal(made.json<{ status: string }>().status, 'succeeded');
    const gate = test.driver.hold('stop');
    const asked = await test.server.inject({ method: 'POST', url: '/v1/workspaces/demo/stop' });
    const { id, status } = asked.json<{ id: string; status: string }>();
    assert.equal(status, 'running');
    const soon = await test.server.inject({ method: 'GET', url: `/v1/operations/${id}?wait=20` });
    assert.equal(soon.json<{ status: string }>().status, 'running');
    const later = test.server.inject({ method: 'GET', url: `/v1/operations/${id}?wait=10000` });
    gate.open();
    assert.equal((await later).json<{ status: string }>().status, 'succeeded');
  });

  it('has every verb of the contract behind its path', async () => {
    await test.create('demo');
    const post = async (verb: string, payload?: object) => {
      const url = `/v1/workspaces/demo/${verb}?wait=10000`;
      const answer = await test.server.inject({ method: 'POST', url, ...(payload && { payload }) });
      assert.equal(answer.statusCode, 200, answer.body);
      assert.equal(answer.json<{ status: string }>().status, 'succeeded', `${verb}: ${answer.body}`);
      return test.services.workspaces.get('demo').state;
    };
    assert.equal(await post('pause'), 'paused');
    assert.equal(await post('resume'), 'running');
    assert.equal(await post('restart'), 'running');
    assert.equal(await post('rebuild', { confirm: true }), 'running');
    assert.equal(await post('stop'), 'stopped');
    assert.equal(await post('start'), 'running');
    assert.equal(await post('archive'), 'archived');
    assert.equal(await post('restore'), 'running');
    const gone = await test.server.inject({
      method: 'DELETE',
      url: '/v1/workspaces/demo?keepVolumes=true&wait=9000',
    });
    assert.equal(gone.json<{ status: string }>().status, 'succeeded');
    assert.deepEqual(test.driver.volumes.names, ['workspace-demo']);
  });

  it('ends a command when its client goes away', async () => {
    await test.create('demo');
    test.driver.commands.set('sleep', { endless: true });
    const outgoing = httpRequest({
      ...{ socketPath: test.socket, method: 'POST', path: '/v1/workspaces/demo/exec' },
      headers: { 'content-type': 'application/json' },
    });
    outgoing.on('error', () => undefined);
    outgoing.end(JSON.stringify({ argv: ['sleep'] }));
    await until('it runs', () => test.services.access.sessionsOf('demo') === 1);
    outgoing.destroy();
    await until('it has ended', () => test.services.access.sessionsOf('demo') === 0);
  });

  it('stays as long as it owes an answer, and no longer', async () => {
    await test.create('demo');
    test.driver.commands.set('sleep', { endless: true });
    const abort = new AbortController();
    const input = { params: { name: 'demo' }, body: { argv: ['sleep'] }, signal: abort.signal };
    const running = test.client.call('workspaces.exec', input);
    await until('it runs', () => test.services.access.sessionsOf('demo') === 1);
    assert.equal(test.services.lifetime.reasonToStay, 'a client is connected');
    abort.abort();
    await failure(running, 'cancelled');
    await until('it may go', () => test.services.lifetime.reasonToStay === undefined);
    await test.client.call('engine.info', {});
    await until('it may go', () => test.services.lifetime.reasonToStay === undefined);
  });

  it('ends when it is told to; only when idle, if told so', async () => {
    const stop = (body: object) =>
      test.server.inject({ method: 'POST', url: '/v1/engine/stop', payload: body });
    await test.create('demo');
    const gate = test.driver.hold('stop');
    test.services.verbs.stop('demo');
    assert.deepEqual((await stop({ onlyIfIdle: true })).json(), {
      ...{ stopping: false, reason: 'an operation is running' },
    });
    assert.equal(test.exits, 0);
    gate.open();
    await until('it is idle', () => test.services.operations.runningCount === 0);
    assert.deepEqual((await stop({ onlyIfIdle: true })).json(), { stopping: true });
    await until('it ends', () => test.exits === 1);
  });

  it('has no HEAD that would open a stream and leave it open', async () => {
    for (const url of ['/v1/events', '/v1/engine']) {
      assert.equal((await test.server.inject({ method: 'HEAD', url })).statusCode, 404);
    }
  });

  it('answers lists fast: a thousand workspaces', async () => {
    const registry = (test.services as unknown as { registry: { records: Map<string, object> } }).registry;
    await test.create('demo');
    const [record] = registry.records.values();
    for (let count = 0; count < 1_000; count += 1) {
      registry.records.set(`w${count}`, { ...record, name: `w${count}` });
    }
    const took = await fastest(5, async () => {
      const answer = await test.server.inject({ method: 'GET', url: '/v1/workspaces' });
      assert.equal(answer.json<object[]>().length, 1_001);
    });
    assert(took < 500, `${took.toFixed()} ms`);
  });

  it('describes itself: every route of the contract, valid as OpenAPI 3.1', async () => {
    const answer = await test.server.inject({ method: 'GET', url: '/v1/openapi.json' });
    const document = answer.json<{
      openapi: string;
      info: { title: string; version: string };
      paths: Record<string, Record<string, OpenApiOperation>>;
    }>();
    assert.match(document.openapi, /^3\.1\.\d+$/);
    assert.equal(document.info.version, '1.0.0');
    const ids = new Set<string>();
    for (const [path, methods] of Object.entries(document.paths)) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const [method, operation] of Object.entries(methods)) {
        assert(['get', 'post', 'put', 'patch', 'delete'].includes(method), `${method} ${path}`);
        assert(!ids.has(operation.operationId), `${operation.operationId} twice`);
        ids.add(operation.operationId);
        const given = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
        assert.deepEqual(given.map(({ name }) => name).sort(), inPath.sort(), path);
        assert(
          given.every(({ required }) => required),
          path,
        );
        assert(Object.keys(operation.responses).length > 0, path);
      }
    }
    for (const [id, [method, path]] of Object.entries(paths)) {
      const found = document.paths[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];
      assert.equal(found?.operationId, id);
      assert(found.summary !== undefined && found.summary !== '', id);
      const schema = found.responses['200']?.content['application/json'].schema;
      assert.equal(typeof schema, 'object', id);
      const hasBody = found.requestBody !== undefined;
      assert.equal(hasBody, found.requestBody?.content['application/json'] !== undefined, id);
    }
    for (const id of [
      'events',
      'files.read',
      'files.write',
      'files.archive',
      'files.watch',
      'files.find',
      'workspaces.logs',
    ]) {
      assert(ids.has(id), id);
    }
    assert(!JSON.stringify(document).includes('"nullable"'), 'that is 3.0');
  });
});

interface OpenApiOperation {
  operationId: string;
  summary?: string;
  parameters?: { in: string; name: string; required: boolean }[];
  requestBody?: { content: Record<string, object> };
  responses: Record<string, { content: Record<'application/json', { schema: object }> }>;
}
