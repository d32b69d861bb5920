import assert from 'node:assert/strict';
import type { FindEvent, FindQuery } from '../../../../../../src/api/files/find';
import type { TextOfFiles } from '../../../../../../src/backend/files/volume-files';
import { Search } from '../../../../../../src/backend/services/volumes/find/find';
import { FakeFiles } from '../../../../../support/fakes/fake-files';

/** Answers when the test says so, or the search ends it. */
class WaitingFiles extends FakeFiles {
  readonly asked: { paths: readonly string[]; signal: AbortSignal | undefined }[] = [];
  answer: (paths: readonly string[]) => Promise<TextOfFiles> = () => new Promise(() => undefined);

  override async searchText(
    paths: readonly string[],
    _query?: unknown,
    signal?: AbortSignal,
  ): Promise<TextOfFiles> {
    this.asked.push({ paths, signal });
    let end = (): void => undefined;
    const ended = new Promise<never>((_resolve, reject) => {
      end = () => reject(new Error('ended'));
    });
    signal?.addEventListener('abort', end);
    try {
      return await Promise.race([this.answer(paths), ended]);
    } finally {
      signal?.removeEventListener('abort', end);
    }
  }
}

describe('services/volumes/find/find', () => {
  let files: WaitingFiles;
  let events: FindEvent[];
  let client: AbortController;
  beforeEach(() => {
    files = new WaitingFiles('v');
    events = [];
    client = new AbortController();
  });
  const search = (query: FindQuery) =>
    new Search(files, query, (event) => events.push(event), client.signal).run();
  const fill = (count: number) => {
    for (let index = 0; index < count; index++) {
      files.contents.set(`/f${index}`, Buffer.from('needle\nneedle\n'));
    }
  };
  const all = (paths: readonly string[]) => FakeFiles.prototype.searchText.call(files, paths);

  it('asks for many files at once, and again for those that did not fit', async () => {
    fill(2_000);
    files.answer = async (paths) => {
      const some = paths.slice(0, 200);
      return { ...(await all(some)), done: some.length };
    };
    await search({ text: 'needle' });
    assert(files.asked.length <= 20, String(files.asked.length));
    assert.deepEqual(events.at(-1), {
      end: { found: 4_000, hasMore: false, searched: 2_000, binary: 0, tooLarge: 0, unread: 0 },
    });
  });

  it('ends what is asked of the agent when nobody waits for it any more', async () => {
    fill(1_000);
    const running = search({ text: 'needle' });
    running.catch(() => undefined);
    await new Promise(setImmediate);
    assert(files.asked.length > 1);
    client.abort();
    await assert.rejects(running, { name: 'AbortError' });
    assert(files.asked.every(({ signal }) => signal?.aborted === true));
    assert.deepEqual(events, []);
  });

  it('ends it also where the limit is reached', async () => {
    fill(1_000);
    files.answer = (paths) => (files.asked.length > 1 ? new Promise(() => undefined) : all(paths));
    await search({ text: 'needle', limit: 3 });
    assert(files.asked.length > 1);
    assert(files.asked.every(({ signal }) => signal?.aborted === true));
    const end = events.at(-1);
    assert(end !== undefined && 'end' in end && end.end.hasMore && end.end.found === 3);
  });

  it('fails as the agent does, instead of leaving out what it was asked for', async () => {
    fill(10);
    files.answer = () => Promise.reject(new Error('the agent is gone'));
    await assert.rejects(search({ text: 'needle' }), /the agent is gone/);
  });

  it('leaves out what a kernel makes up, unless that is what is searched', async () => {
    const entry = { size: 1, mode: 0, uid: 0, gid: 0, mtimeMs: 0, ctimeMs: 0 };
    const foldersOf = (volume: string) => {
      const made = new WaitingFiles(volume);
      made.list = (path) => {
        const folders = path === '/' ? ['dev', 'etc', 'proc', 'sys'] : [];
        const entries = [
          ...folders.map((name) => ({ ...entry, name, type: 'directory' as const })),
          { ...entry, name: 'file', type: 'file' as const },
        ];
        return Promise.resolve({ path, entries, total: entries.length });
      };
      return made;
    };
    const found = async (volume: string, path = '/') => {
      files = foldersOf(volume);
      events = [];
      await search({ path });
      return events.flatMap((event) => ('files' in event ? event.files : [])).sort();
    };
    assert.deepEqual(await found('rootfs@demo'), ['/etc/file', '/file']);
    assert.deepEqual(await found('rootfs@demo', '/proc'), ['/proc/file']);
    assert.equal((await found('demo')).length, 5);
  });
});
