import assert from 'node:assert/strict';
import type { FileEntry } from '../../../../src/api';
import { listFolder } from '../../../../src/cli/verbs/ls';
import type { EngineClient } from '../../../../src/client/engine-client';
import { failure } from '../../../support/errors';

describe('cli/verbs/ls', () => {
  const entryOf = (name: string) => ({ name, type: 'file', size: 0 }) as FileEntry;
  const { signal } = new AbortController();
  const at = { volume: 'v', path: '/d' };

  /** Each page has one name; `next` says where the one after it begins. */
  function folderOf(next: (page: number) => string | undefined) {
    let pages = 0;
    const call = () => {
      pages++;
      const following = next(pages);
      const entries = [entryOf(`n${pages}`)];
      return Promise.resolve({
        path: '/d',
        entries,
        total: 3,
        ...(following !== undefined && { next: following }),
      });
    };
    return { client: { call: call as unknown as EngineClient['call'] }, pages: () => pages };
  }

  it('takes one page after the other', async () => {
    const { client } = folderOf((page) => (page < 3 ? `n${page + 1}` : undefined));
    const names = (await listFolder(client, at, signal)).map(({ name }) => name);
    assert.deepEqual(names, ['n1', 'n2', 'n3']);
  });

  it('comes to an end when the pages do not', async () => {
    const { client, pages } = folderOf((page) => 'a'.repeat(page));
    await failure(listFolder(client, at, signal), 'too_large');
    assert.equal(pages(), 2_000);
  });
});
