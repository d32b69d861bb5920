import assert from 'node:assert/strict';
import type { FileEntry, FileList } from '../../../../../src/api/files/schemas';
import { measure } from '../../../../../src/backend/services/volumes/measure';
import { FakeFiles } from '../../../../support/fakes/fake-files';

const entry = (name: string, type: FileEntry['type'], size = 0): FileEntry => ({
  ...{ name, type, size, mode: 0o644, uid: 0, gid: 0, mtimeMs: 0, ctimeMs: 0 },
});

/** Folders by path; one without entries can't be read. */
class Folders extends FakeFiles {
  readonly folders = new Map<string, FileEntry[] | undefined>();
  /** Folders whose list never comes. */
  readonly slow = new Set<string>();
  asked = 0;

  override stat(path: string): Promise<FileEntry> {
    return this.folders.has(path) ? Promise.resolve(entry(path, 'directory')) : super.stat(path);
  }

  override list(path: string): Promise<FileList> {
    this.asked++;
    const entries = this.folders.get(path);
    return this.slow.has(path)
      ? new Promise(() => undefined)
      : entries === undefined
        ? Promise.reject(new Error('denied'))
        : Promise.resolve({ path, entries, total: entries.length });
  }
}

describe('services/volumes/measure', () => {
  let files: Folders;
  let client: AbortController;
  beforeEach(() => {
    files = new Folders('v');
    client = new AbortController();
    files.folders.set('/a', [entry('b', 'directory'), entry('c', 'directory'), entry('one', 'file', 10)]);
    files.folders.set('/a/b', [entry('two', 'file', 20), entry('link', 'symlink', 5)]);
    files.folders.set('/a/c', []);
  });
  const measured = (path: string, withinMs = 10_000) =>
    measure(files, path, { withinMs, signal: client.signal });

  it('counts what is below a folder; a link is one, and nothing of what it leads to', async () => {
    assert.deepEqual(await measured('/a'), { files: 3, folders: 3, bytes: 30 });
  });

  it('answers for one file', async () => {
    files.contents.set('/f', Buffer.from('four'));
    assert.deepEqual(await measured('/f'), { files: 1, folders: 0, bytes: 4 });
  });

  it('answers what it has when the time is up, and says that it is not all', async () => {
    files.slow.add('/a/b');
    assert.deepEqual(await measured('/a', 30), { files: 1, folders: 3, bytes: 10, isAtLeast: true });
  });

  it('says so as well where a folder can not be read', async () => {
    files.folders.set('/a/b', undefined);
    assert.deepEqual(await measured('/a'), { files: 1, folders: 3, bytes: 10, isAtLeast: true });
  });

  it('rejects for what is not there, and when who asked is gone', async () => {
    await assert.rejects(measured('/gone'), { code: 'path_not_found' });
    files.slow.add('/a/b');
    const gone = measured('/a');
    client.abort();
    await assert.rejects(gone);
  });
});
