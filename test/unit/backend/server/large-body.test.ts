import assert from 'node:assert/strict';
import type { ErrorBody } from '../../../../src/api/errors';
import { useServer } from '../../../support/engine/server';

describe('server: large bodies', () => {
  const { start } = useServer();

  it('are taken of as many changes as a large new folder has', async () => {
    const { server } = await start();
    const [place, size] = [{ volume: 'data', path: '/' }, 1_000];
    const from = { type: 'file', size, mode: 0o644, uid: 1000, gid: 1000, mtimeMs: 1_700_000_000_000.5 };
    const changes = Array.from({ length: 150_000 }, (_, n) => ({ path: `/new/folder/with/file-${n}`, from }));
    const payload = { from: place, to: place, changes };
    assert.ok(JSON.stringify(payload).length > 16 * 1024 * 1024);
    const answer = await server.inject({ method: 'POST', url: '/v1/takeovers', payload });
    const { error } = answer.json<{ error: ErrorBody }>();
    assert.deepEqual([error.code, error.field], ['bad_request', 'to'], 'only that both sides are one folder');
  });
});
