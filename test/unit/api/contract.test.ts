import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { Value } from '@sinclair/typebox/value';
import { socketPath, stateDirectory } from '../../../src/api/rules/endpoint';
import {
  BerthError,
  asBerthError,
  errorStatus,
  fromErrorBody,
  isErrorCode,
  isRetryable,
  parseErrorBody,
  type ErrorCode,
} from '../../../src/api/errors';
import { fillPath, paths, streamPaths } from '../../../src/api/paths';
import { routes, type RouteSchema } from '../../../src/api/routes';
import { Name, VolumeName, VolumePath } from '../../../src/api/common';
import { WorkspaceCreate, WorkspacePatch } from '../../../src/api/workspaces/schemas';

describe('api/errors', () => {
  it('go over the wire and come back the same', () => {
    for (const code of Object.keys(errorStatus) as ErrorCode[]) {
      const error = new BerthError(code, 'what happened', { hint: 'what to do', field: 'spec.name' });
      const body = parseErrorBody(JSON.parse(JSON.stringify({ error: error.toBody() })));
      assert(body !== undefined);
      const back = fromErrorBody(body);
      assert.deepEqual(back.toBody(), error.toBody());
      assert(back.status >= 400 && back.status < 600);
    }
    assert.deepEqual(new BerthError('internal', 'x').toBody(), { code: 'internal', message: 'x' });
  });

  it('are made of anything that is thrown, keeping the cause', () => {
    const cause = new TypeError('oops');
    assert.equal(asBerthError(cause).code, 'internal');
    assert.equal(asBerthError(cause).cause, cause);
    assert.equal(asBerthError('text').message, 'text');
    const own = new BerthError('gone', 'x');
    assert.equal(asBerthError(own), own);
  });

  it('are told from other answers', () => {
    for (const other of [
      null,
      1,
      {},
      { error: 1 },
      { error: { code: 'x', message: 'y' } },
      { error: { code: 'gone' } },
    ]) {
      assert.equal(parseErrorBody(other), undefined, JSON.stringify(other));
    }
    assert.equal(isErrorCode('toString'), false, 'no word of JavaScript is a code');
    assert.equal(isErrorCode('gone'), true);
  });

  it('say which are worth another try', () => {
    const retryable = (Object.keys(errorStatus) as ErrorCode[]).filter(isRetryable);
    assert.deepEqual(retryable.sort(), ['capacity', 'runtime_unavailable', 'timeout']);
  });
});

describe('api/paths', () => {
  it('have a schema for each route, with a parameter for each hole', () => {
    assert.deepEqual(Object.keys(routes).sort(), Object.keys(paths).sort());
    for (const [id, [method, path]] of Object.entries(paths)) {
      const route: RouteSchema = routes[id as keyof typeof routes];
      const holes = [...path.matchAll(/:([a-z]+)/g)].map(([, name]) => name).sort();
      assert.deepEqual(Object.keys(route.params?.properties ?? {}).sort(), holes, id);
      assert(path.startsWith('/v1/'), id);
      assert(method !== 'GET' || route.body === undefined, id);
      assert(route.summary.length > 3, id);
    }
    const all = Object.values(paths).map(([method, path]) => `${method} ${path}`);
    assert.equal(new Set(all).size, all.length);
  });

  it('are filled, escaping what is filled in', () => {
    assert.equal(fillPath(streamPaths.logs, { name: 'demo' }), '/v1/workspaces/demo/logs');
    assert.equal(fillPath('/v1/:volume/x', { volume: '../a b' }), '/v1/..%2Fa%20b/x');
    assert.throws(() => fillPath('/v1/:name'), /needs a value for "name"/);
  });
});

describe('api/schemas', () => {
  it('take names of lowercase letters, digits and inner hyphens only', () => {
    for (const good of ['a', '0', 'a-b', 'a'.repeat(63), '1-2-3']) {
      assert(Value.Check(Name, good), good);
    }
    for (const bad of ['', '-a', 'a-', 'A', 'a_b', 'a.b', 'a'.repeat(64), 'a\n', '..', 'ü', 'a/b']) {
      assert(!Value.Check(Name, bad), JSON.stringify(bad));
    }
    assert(Value.Check(VolumeName, 'My_Volume.1'));
    assert(
      !Value.Check(VolumeName, '../x') && !Value.Check(VolumeName, '-x') && !Value.Check(VolumeName, ''),
    );
    assert(Value.Check(VolumePath, '/') && !Value.Check(VolumePath, 'a') && !Value.Check(VolumePath, ''));
  });

  it('refuse unknown fields and wrong values', () => {
    assert(Value.Check(WorkspaceCreate, { name: 'a', limits: { cpus: 1.5 }, volumes: ['a:/a'] }));
    for (const bad of [
      { name: 'a', state: 'running' },
      { name: 'a', limits: { cores: 1 } },
      { name: 'a', env: { 'A B': 'x' } },
      { name: 'a', env: { A: 1 } },
      { name: 'a', label: '' },
    ]) {
      assert(!Value.Check(WorkspaceCreate, bad), JSON.stringify(bad));
    }
    assert(!Value.Check(WorkspacePatch, {}));
    assert(!Value.Check(WorkspacePatch, { name: 'b' }), 'a name never changes');
  });
});

describe('api/rules/endpoint', () => {
  it('is in the home, or where BERTH_HOME says', () => {
    assert.equal(stateDirectory({}), `${homedir()}/.berth`);
    assert.equal(stateDirectory({ BERTH_HOME: '' }), `${homedir()}/.berth`);
    assert.equal(stateDirectory({ BERTH_HOME: '/a/../b' }), '/b');
  });

  it('fits into a socket address, one for each home', () => {
    assert.equal(socketPath('/home/me/.berth', 'linux'), '/home/me/.berth/engine.sock');
    const deep = `/home/${'deep/'.repeat(30)}`;
    const short = socketPath(deep, 'linux');
    assert(Buffer.byteLength(short) <= 107, short);
    assert.notEqual(short, socketPath(`${deep}x`, 'linux'));
    assert.match(socketPath('C:\\Users\\me', 'win32'), /^\\\\\.\\pipe\\berth-[0-9a-f]{16}$/);
  });
});
