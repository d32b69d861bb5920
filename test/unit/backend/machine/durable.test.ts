import assert from 'node:assert/strict';
import { existsSync, readlinkSync } from 'node:fs';
import { mkdtemp, open, readFile, readdir, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolder, removeTree } from '../../../../src/backend/machine/files';
import { moveFile, replaceFile } from '../../../../src/backend/machine/whole-file';
import { useTempFolder } from '../../../support/temp';
import { skipWithout } from '../../../support/skip';

/** What a power cut would leave: whether a change is on the disk is known by what was synced after it. */
describe('machine/files: after a power cut', () => {
  const folder = useTempFolder();
  const synced: { path: string; entries: string[] }[] = [];
  let other = '';
  let restore = (): void => undefined;

  before(function () {
    if (!existsSync('/proc/self/fd')) {
      skipWithout(this, '/proc is not here: what was synced is not seen');
    }
  });
  beforeEach(async () => {
    synced.length = 0;
    const file = await open('/dev/null');
    const methods = Object.getPrototypeOf(file) as FileHandle;
    await file.close();
    const original = Object.getOwnPropertyDescriptor(methods, 'sync');
    const sync = original?.value as () => Promise<void>;
    Object.defineProperty(methods, 'sync', {
      configurable: true,
      value: async function (this: FileHandle) {
        const path = readlinkSync(`/proc/self/fd/${this.fd}`);
        synced.push({ path, entries: await readdir(path).catch(() => []) });
        return sync.call(this);
      },
    });
    restore = () => Object.defineProperty(methods, 'sync', original ?? {});
    other = await mkdtemp(join(tmpdir(), 'berth-durable-'));
  });
  afterEach(async () => {
    restore();
    await rm(other, { recursive: true, force: true });
  });
  const lastOf = (path: string) => synced.filter((each) => each.path === path).at(-1);

  it('a file that was written is there: its folder is synced once it has its name', async () => {
    await replaceFile(join(folder(), 'record.json'), 'x');
    assert.deepEqual(lastOf(folder())?.entries, ['record.json']);
    assert.equal(synced.length, 2, 'the content, then the folder');
  });

  it('a new folder is there: the first that was missing is synced into its parent', async () => {
    await makeFolder(join(folder(), 'a/b/c'));
    assert.deepEqual(lastOf(folder())?.entries, ['a']);
    assert.equal((await stat(join(folder(), 'a/b/c'))).mode & 0o777, 0o700);
  });

  it('what was removed does not come back', async () => {
    await makeFolder(join(folder(), 'a/b'));
    await removeTree(join(folder(), 'a'));
    assert.deepEqual(lastOf(folder())?.entries, []);
    await removeTree(join(folder(), 'never/there'));
  });

  it('a file moved to another disk is on it before the old one goes', async function () {
    const from = join(other, 'disk.ext4');
    const to = join(folder(), 'disk.ext4');
    await writeFile(from, 'content');
    if ((await stat(other)).dev === (await stat(folder())).dev) {
      skipWithout(this, 'both temporary folders are on one disk (TMPDIR)');
    }
    await moveFile(from, to);
    assert.equal(await readFile(to, 'utf8'), 'content');
    assert(!existsSync(from));
    const [content, place, ...rest] = synced.map(({ path }) => path);
    assert.match(content ?? '', /\.berth-draft-[0-9a-f]{32}$/);
    assert.deepEqual([place, ...rest], [folder()]);
    assert.deepEqual(lastOf(folder())?.entries, ['disk.ext4']);
  });
});
