/** Every route about a workspace, while that is being created: generated from the contract. */
import assert from 'node:assert/strict';
import { fillPath, paths, type RouteId } from '../../../../src/api/paths';
import { rootFilesOf } from '../../../../src/api/rules/root-files';
import { streams } from '../../../../src/api/streams';
import type { ErrorBody } from '../../../../src/api/errors';
import { useServer } from '../../../support/engine/server';

/** What they want to know beside the workspace. */
const values = {
  'files.mkdir': { path: '/a' },
  'files.rename': { from: '/a', to: '/b' },
  'files.copy': { from: '/a', to: '/b' },
  'files.remove': { path: '/a' },
  'files.chmod': { path: '/a', mode: 0o644 },
  'workspaces.update': { label: 'Mine' },
  'workspaces.exec': { argv: ['true'] },
  'workspaces.commit': { image: 'made:1' },
} satisfies Partial<Record<RouteId, object>>;
const bodies: Readonly<Record<string, object>> = values;

/** What there is to see and to change of one that is not there yet. */
const answered = ['workspaces.get', 'workspaces.update', 'workspaces.ssh', 'workspaces.logs'];
/** They stay open, and a delete cancels the create. */
const left = ['workspaces.lease', 'workspaces.attach', 'workspaces.delete'];

const routes = [
  ...Object.entries(paths).map(([id, [method, path]]) => ({ id, method, path })),
  ...Object.entries(streams).map(([id, { method, path }]) => ({ id, method, path })),
].filter(
  ({ id, path }) =>
    !left.includes(id) && (path.startsWith('/v1/workspaces/:name') || path.includes('/files/')),
);

describe('server: a workspace that is being created', () => {
  const { start } = useServer();

  it('answers each route with what it is, or with 409 and what to do', async () => {
    const test = await start();
    for (const verb of ['create', 'configure']) {
      const name = `demo-${verb}`;
      const gate = test.driver.hold(verb);
      const made = test.create(name);
      await gate.entered;
      assert.equal(test.services.workspaces.get(name).state, 'creating');
      for (const { id, method, path } of routes) {
        const url = fillPath(path, { name, volume: rootFilesOf(name) });
        const answer = await test.server.inject({
          ...{
            method,
            url,
            query: {
              ...(method !== 'POST' && !answered.includes(id) && /files|locate/.test(id) && { path: '/a' }),
              ...(id === 'files.compare' && { with: rootFilesOf(name) }),
            },
          },
          ...(id === 'files.write'
            ? { payload: 'x', headers: { 'content-type': 'application/octet-stream' } }
            : method !== 'GET' && { payload: bodies[id] ?? {} }),
        });
        const what = `${verb}: ${id}: ${answer.statusCode} ${answer.body}`;
        if (answered.includes(id)) {
          assert.equal(answer.statusCode, 200, what);
          continue;
        }
        assert.equal(answer.statusCode, 409, what);
        assert.ok((answer.json<{ error: ErrorBody }>().error.hint ?? '') !== '', what);
      }
      gate.open();
      assert.equal((await made).status, 'succeeded');
    }
  });
});
