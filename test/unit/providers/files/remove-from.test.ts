import assert from 'node:assert/strict';
import { BerthError } from '../../../../src/api/errors';
import type { EngineClient } from '../../../../src/client/engine-client';
import { removeFrom } from '../../../../src/providers/files/remove-from';

describe('removeFrom', () => {
  /** An engine that has a folder with something in it, and what it is asked for. */
  function engine(warnings: string[] = []) {
    const asked: unknown[] = [];
    const client = {
      call: (id: string, { body }: { body: unknown }) => {
        asked.push([id, body]);
        return id === 'files.remove'
          ? Promise.reject(new BerthError('directory_not_empty', 'It is not empty.'))
          : Promise.resolve({ id: '1' });
      },
      waitFor: () => Promise.resolve({ warnings }),
    };
    return { asked, client: client as unknown as EngineClient };
  }
  const place = { volume: 'v', path: '/d' };

  it('deletes a folder that is not empty as an operation, if all in it may go', async () => {
    const { client, asked } = engine();
    await removeFrom(client, place, true);
    assert.deepEqual(asked, [
      ['files.remove', { path: '/d' }],
      ['removals.create', { volume: 'v', paths: ['/d'] }],
    ]);
    await assert.rejects(removeFrom(client, place, false), { code: 'directory_not_empty' });
    assert.equal(asked.length, 3);
  });

  it('fails with what stayed', async () => {
    await assert.rejects(removeFrom(engine(['/d was not deleted']).client, place, true), /was not deleted/);
  });
});
