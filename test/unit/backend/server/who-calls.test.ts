/** Every route, and every marked field, held against callers that are not the owner: generated from the contract. */
import assert from 'node:assert/strict';
import fastify from 'fastify';
import { fillPath, paths, type RouteId } from '../../../../src/api/paths';
import {
  markedValues,
  mayCall,
  owner,
  tokenScopes,
  type Principal,
  type RouteScope,
  type TokenPrincipal,
} from '../../../../src/api/rules/principal';
import { routes, type RouteSchema } from '../../../../src/api/routes';
import { streams, type StreamRoute } from '../../../../src/api/streams';
import type { ErrorBody } from '../../../../src/api/errors';
import { guardRoutes } from '../../../../src/backend/server/guard';
import { failure } from '../../../support/errors';
import { runAs } from '../../../../src/backend/services/callers/caller';
import { useServer, type TestServer } from '../../../support/engine/server';

interface Called {
  id: string;
  method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  scope: RouteScope;
  params?: unknown;
  query?: unknown;
  body?: unknown;
}

const all: Called[] = [
  ...(Object.keys(paths) as RouteId[]).map((id): Called => {
    const [method, path] = paths[id];
    const { scope, params, query, body }: RouteSchema = routes[id];
    return { id, method, path, scope, params, query, body };
  }),
  ...Object.entries(streams).map(([id, { method, path, scope, params, query }]: [string, StreamRoute]) => ({
    ...{ id, method, path, scope, params, query },
  })),
];

interface Sent {
  method: 'POST' | 'PATCH';
  url: string;
  payload: object;
}

const token = (scope: TokenPrincipal['scope'], workspaces: TokenPrincipal['workspaces']): TokenPrincipal => ({
  ...{ kind: 'token', id: 'made-up', scope, workspaces },
});

type Schema = Record<string, unknown>;
const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every property below a schema, by its dotted name. */
function propertiesOf(schema: unknown, field = ''): [string, Schema][] {
  if (!isSchema(schema)) {
    return [];
  }
  const own = isSchema(schema.properties) ? Object.entries(schema.properties) : [];
  const choices = Array.isArray(schema.anyOf) ? schema.anyOf : [];
  return [
    ...own.flatMap(([key, each]): [string, Schema][] => {
      const name = field === '' ? key : `${field}.${key}`;
      return isSchema(each) ? [[name, each], ...propertiesOf(each, name)] : [];
    }),
    ...choices.flatMap((each) => propertiesOf(each, field)),
    ...propertiesOf(schema.items, field),
  ];
}

describe('server: who calls', () => {
  const { start } = useServer();
  let caller: Principal;
  let test: TestServer;
  beforeEach(async () => {
    caller = owner;
    test = await start({ principalOf: () => caller });
  });

  const statusOf = async ({ method, path }: Called, name: string): Promise<number> => {
    const url = fillPath(path, {
      name,
      volume: `workspace-${name}`,
      id: 'none',
      snapshot: 'none',
      item: 'none',
    });
    const answer = await test.server.inject({
      ...{ method, url },
      ...(method !== 'GET' && { payload: {} }),
    });
    return answer.statusCode;
  };

  it('refuses each route to a token of less than its scope, whatever it is called with', async () => {
    for (const scope of tokenScopes) {
      caller = token(scope, 'all');
      for (const route of all.filter((each) => !mayCall(caller, each.scope))) {
        assert.equal(await statusOf(route, 'mine'), 403, `${scope}: ${route.id}`);
      }
    }
  });

  it('refuses each route about a workspace, a volume or an operation that is not of the token', async () => {
    caller = token('manage', ['mine']);
    for (const route of all.filter(({ path }) => /:/.test(path))) {
      assert.equal(await statusOf(route, 'other'), 403, route.id);
    }
  });

  it('knows of each route what its parameters name, and of each field that may lead out of a workspace', () => {
    const suspicious =
      /(^|\.)(name|volume|volumes|local|image|agentSocket|source|sources|scripts|path|socket|file|folder)$/;
    /** Inside a workspace or a volume that was named elsewhere, or below a field that is marked itself. */
    const inside = ['path', 'from.paths', 'from.path', 'to.path', 'changes.path'];
    for (const { id, scope, params, query, body, path } of all) {
      const named = Object.fromEntries(propertiesOf(params));
      for (const [, name = ''] of path.matchAll(/:([a-z]+)/g)) {
        assert(named[name]?.['x-names'] !== undefined || scope === 'local', `${id}: what is ${name}?`);
      }
      if (scope === 'local') {
        continue;
      }
      const fields = [...propertiesOf(query), ...propertiesOf(body)];
      const isMarked = ([, each]: [string, Schema]) => 'x-local' in each || 'x-names' in each;
      const marked = fields.filter(isMarked).map(([name]) => name);
      const open = fields
        .filter(([name]) => suspicious.test(name) && !inside.includes(name))
        .filter(([name]) => !marked.some((each) => name === each || name.startsWith(`${each}.`)));
      assert.deepEqual(open, [], id);
    }
  });

  it('refuses fields that reach the machine, and names of others, in what a token sends', async () => {
    caller = token('manage', ['mine']);
    const create = (more: object): Sent => ({
      method: 'POST',
      url: '/v1/workspaces',
      payload: { name: 'mine', ...more },
    });
    const transfer = (from: object, to: object): Sent => ({
      method: 'POST',
      url: '/v1/transfers',
      payload: { from, to },
    });
    const own = { volume: 'workspace-mine', paths: ['/a'] };
    const cases: [Sent, string][] = [
      [create({ name: 'other' }), 'name'],
      [create({ volumes: ['/etc:/x'] }), 'volumes'],
      [create({ volumes: ['data:/x'] }), 'volumes'],
      [create({ image: '/srv/disk.ext4' }), 'image'],
      [create({ image: './disk.ext4' }), 'image'],
      [create({ image: '~/disk.ext4' }), 'image'],
      [create({ image: 'C:\\disk.ext4' }), 'image'],
      [create({ image: 'oci:/srv/images' }), 'image'],
      [create({ image: 'oci:5000/../../srv/images' }), 'image'],
      [create({ image: 'docker-archive:saved.tar/x' }), 'image'],
      [create({ docker: true }), 'docker'],
      [create({ network: 'host-loopback' }), 'network'],
      [create({ agentSocket: '/run/agent' }), 'agentSocket'],
      [create({ credentialFiles: [{ source: '/etc/shadow', target: 'x' }] }), 'credentialFiles'],
      [create({ postStart: { scripts: ['/etc/passwd'] } }), 'postStart'],
      [transfer({ local: ['/etc/passwd'] }, { volume: 'workspace-mine', path: '/' }), 'from.local'],
      [transfer(own, { local: '/tmp' }), 'to.local'],
      [transfer(own, { volume: 'workspace-other', path: '/' }), 'to.volume'],
      [transfer({ ...own, volume: 'rootfs@other' }, { volume: 'workspace-mine', path: '/' }), 'from.volume'],
      [{ method: 'POST', url: '/v1/removals', payload: { volume: 'data', paths: ['/a'] } }, 'volume'],
      [{ method: 'POST', url: '/v1/volumes', payload: { name: 'data' } }, 'name'],
      [{ method: 'POST', url: '/v1/workspaces/mine/rebuild', payload: { image: '/srv/disk.ext4' } }, 'image'],
      [
        {
          method: 'PATCH',
          url: '/v1/workspaces/mine',
          payload: { credentialFiles: [{ source: '/etc/shadow', target: 'x' }] },
        },
        'credentialFiles',
      ],
    ];
    for (const [request, field] of cases) {
      const answer = await test.server.inject(request);
      const { error } = answer.json<{ error: ErrorBody }>();
      assert.deepEqual(
        [answer.statusCode, error.code, error.field],
        [403, 'forbidden', field],
        JSON.stringify(request),
      );
    }
    assert.deepEqual(test.services.operations.list(), [], 'nothing was begun');
  });

  it('lets a token do what it may with its own, and shows it nothing of others', async () => {
    for (const name of ['mine', 'other']) {
      await test.create(name, { start: false });
    }
    await test.services.volumes.create({ name: 'data' });
    caller = token('use', ['mine']);
    const get = async <T>(url: string): Promise<T> => {
      const answer = await test.server.inject({ method: 'GET', url });
      assert.equal(answer.statusCode, 200, answer.body);
      return answer.json<T>();
    };
    const names = async (url: string) => (await get<{ name: string }[]>(url)).map(({ name }) => name);
    assert.deepEqual(await names('/v1/workspaces'), ['mine']);
    assert.deepEqual(await names('/v1/volumes'), ['workspace-mine']);
    const operations = await get<{ id: string; workspace?: string }[]>('/v1/operations');
    assert.deepEqual([...new Set(operations.map(({ workspace }) => workspace))], ['mine']);
    assert.equal((await get<{ name: string }>('/v1/workspaces/mine')).name, 'mine');
    for (const other of ['data', 'workspace-other', 'rootfs@other', 'snapshot@0123456789ab']) {
      const url = `/v1/volumes/workspace-mine/files/compare?with=${other}`;
      const { statusCode } = await test.server.inject({ method: 'GET', url });
      assert.equal(statusCode, 403, `compared with ${other}`);
    }
    const begun = await test.server.inject({ method: 'POST', url: '/v1/workspaces/mine/start?wait=60000' });
    assert.equal(begun.json<{ by?: string }>().by, 'made-up');
    const foreign = test.services.operations.list().find(({ workspace }) => workspace === 'other');
    assert(foreign);
    const asked = await test.server.inject({ method: 'GET', url: `/v1/operations/${foreign.id}` });
    assert.equal(asked.statusCode, 403);
  });

  it('sends a token the events of its own only', async () => {
    const caller = token('read', ['mine']);
    const { visibility, events } = test.services;
    const seen: string[] = [];
    events.subscribe((event) => {
      if (visibility.event(caller, event)) {
        seen.push(`${event.type} ${'name' in event.payload ? event.payload.name : ''}`);
      }
    });
    for (const name of ['mine', 'other']) {
      await test.create(name, { start: false });
      await test.done(test.services.verbs.delete(name));
    }
    assert(seen.includes('workspace.deleted mine') && seen.includes('operation.changed '), seen.join(', '));
    assert.deepEqual(
      seen.filter((each) => each.includes('other')),
      [],
    );
  });

  it('notes who asked for what takes longer, also where it is begun later', async () => {
    const begin = { kind: 'image.pull', title: 'Test' } as const;
    const by = await runAs(token('manage', 'all'), async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return test.services.operations.start(begin, () => Promise.resolve(undefined)).by;
    });
    assert.equal(by, 'made-up');
    assert.equal(test.services.operations.start(begin, () => Promise.resolve(undefined)).by, undefined);
  });

  it('pulls no image with the logins of the owner for anybody else: neither for a create, nor later', async () => {
    const { creator, verbs, workspaces } = test.services;
    const create = (name: string, image: string) => () => creator.create({ name, image, start: false });
    const pulls = () => test.driver.calls.filter((call) => call.startsWith('pull'));
    test.driver.images.known.delete('private:1');
    const error = await failure(runAs(token('manage', 'all'), create('mine', 'private:1')), 'forbidden');
    assert.equal(error.field, 'image');
    assert.match(error.message, /^The image private:1 is not there, and is not pulled for a token/);
    assert.equal(error.hint, 'Let the owner pull it first: `berth image pull private:1`.');
    assert.deepEqual(
      workspaces.list().filter(({ name }) => name === 'mine'),
      [],
    );
    assert.deepEqual(pulls(), []);
    assert.equal((await test.done(create('owned', 'private:1')())).status, 'succeeded');
    assert.equal(pulls().length, 1);
    const again = await test.done(runAs(token('manage', 'all'), create('mine', 'private:1')));
    assert.equal(again.status, 'succeeded');
    // Its runtime is gone, and so is the image: a start would pull it.
    test.driver.runtimes.delete('workspace-mine');
    test.driver.images.known.delete('private:1');
    const started = await test.done(runAs(token('manage', 'all'), () => verbs.start('mine')));
    assert.deepEqual([started.status, started.error?.code], ['failed', 'forbidden']);
    assert.equal(pulls().length, 1);
  });

  it('can register no route that does not say who may call it', () => {
    const server = fastify();
    guardRoutes(server, test.services.visibility, () => owner);
    assert.throws(
      () => server.get('/v1/forgotten', () => ({})),
      /GET \/v1\/forgotten does not say who may call it/,
    );
  });
});

describe('api/rules: marked values', () => {
  it('are found in lists, choices and nested objects', () => {
    const schema = {
      properties: {
        list: { items: { properties: { deep: { 'x-names': 'volume' } } } },
        choice: { anyOf: [{ properties: { a: { 'x-local': true } } }, { properties: { b: {} } }] },
        flag: { 'x-local': true },
        text: { 'x-local': '^/' },
      },
    };
    const value = { list: [{ deep: 'x' }, {}], choice: { a: 1 }, flag: false, text: 'a/b' };
    assert.deepEqual(
      markedValues(schema, value).map(({ field, isLocal, names }) => [field, isLocal, names]),
      [
        ['list.0.deep', false, 'volume'],
        ['choice.a', true, undefined],
      ],
    );
    assert.deepEqual(
      markedValues(schema, { flag: true, text: '/a' }).map(({ field }) => field),
      ['flag', 'text'],
    );
  });
});
