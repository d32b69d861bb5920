import assert from 'node:assert/strict';
import { BerthError } from '../../../../src/api/errors';
import type { Operation } from '../../../../src/api';
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
    };
    const follow = (begun: Operation) => Promise.resolve({ ...begun, warnings });
    const signal = new AbortController().signal;
    return { asked, task: { client: client as unknown as EngineClient, follow, signal } };
  }
  const place = { volume: 'v', path: '/d' };

  it('deletes a folder that is not empty as an operation, if all in it may go', async () => {
    const { task, asked } = engine();
    await removeFrom(task, place, true);
    assert.deepEqual(asked, [
      ['files.remove', { path: '/d' }],
      ['removals.create', { volume: 'v', paths: ['/d'] }],
    ]);
    await assert.rejects(removeFrom(task, place, false), { code: 'directory_not_empty' });
    assert.equal(asked.length, 3);
  });

  it('fails with what stayed', async () => {
    await assert.rejects(removeFrom(engine(['/d was not deleted']).task, place, true), /was not deleted/);
  });
});
