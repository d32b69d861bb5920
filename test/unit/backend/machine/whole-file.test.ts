import assert from 'node:assert/strict';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { isDraft } from '../../../../src/backend/machine/drafts';
import { readIfPresent } from '../../../../src/backend/machine/files';
import { replaceChanged, replaceFile, writeWhole } from '../../../../src/backend/machine/whole-file';
import { mountSmallDisk, unmount } from '../../../support/files/small-disk';
import { needsRoot, skipWithout } from '../../../support/skip';
import { useTempFolder } from '../../../support/temp';

describe('machine/whole-file', () => {
  const folder = useTempFolder();

  it('replaces a file privately, or with the mode asked for', async () => {
    const path = join(folder(), 'a');
    await replaceFile(path, 'one');
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    await replaceFile(path, Buffer.from('two'), 0o644);
    assert.equal((await stat(path)).mode & 0o777, 0o644);
    assert.equal(await readIfPresent(path), 'two');
    assert.deepEqual(await readdir(folder()), ['a']);
  });

  it('leaves a file alone that is as it should be, and only such a one', async () => {
    const path = join(folder(), 'a');
    await replaceChanged(path, 'öne');
    const { ino } = await stat(path);
    await replaceChanged(path, 'öne');
    assert.equal((await stat(path)).ino, ino);
    for (const spoil of [
      () => writeFile(path, 'öno'),
      () => writeFile(path, ''),
      () => chmod(path, 0o644),
      () => rename(path, `${path}-old`).then(() => symlink(`${path}-old`, path)),
      () => rm(path),
    ]) {
      await spoil();
      await replaceChanged(path, 'öne');
      const status = await lstat(path);
      assert.deepEqual(
        [status.isFile(), status.mode & 0o777, await readFile(path, 'utf8')],
        [true, 0o600, 'öne'],
      );
    }
  });

  it('writes many times at once: one of them wins, whole', async () => {
    const path = join(folder(), 'a');
    const contents = Array.from({ length: 10 }, (_, index) => String(index).repeat(10_000));
    await Promise.all(contents.map((content) => replaceFile(path, content)));
    assert(contents.includes(await readFile(path, 'utf8')));
    assert.deepEqual(await readdir(folder()), ['a']);
  });

  it('leaves the whole old file when the disk has room for half of the new one', async function () {
    const disk = join(folder(), 'disk');
    if (!mountSmallDisk(disk, '64k')) {
      skipWithout(this, 'a small disk is mounted by root alone');
    }
    try {
      const path = join(disk, 'record.json');
      await replaceFile(path, 'a'.repeat(30_000));
      await writeFile(join(disk, 'other'), 'x'.repeat(16_000));
      await assert.rejects(replaceFile(path, 'b'.repeat(30_000)), { code: 'no_space' });
      assert.equal(await readFile(path, 'utf8'), 'a'.repeat(30_000));
      assert.deepEqual((await readdir(disk)).sort(), ['other', 'record.json']);
    } finally {
      unmount(disk);
    }
  });

  it('keeps the owner of the file that it replaces', async function () {
    needsRoot(this, 'gives files to others');
    const path = join(folder(), 'a');
    await writeFile(path, 'x');
    await chown(path, 1234, 1235);
    await replaceFile(path, 'y');
    const { uid, gid } = await stat(path);
    assert.deepEqual([uid, gid], [1234, 1235]);
  });

  it('shows nothing of a file before it is whole, and nothing at all when that fails', async () => {
    const path = join(folder(), 'disk');
    const answer = await writeWhole(path, async (draft) => {
      await writeFile(draft, 'whole');
      assert.deepEqual((await readdir(folder())).map(isDraft), [true]);
      return 'answered';
    });
    assert.equal(answer, 'answered');
    const failing = writeWhole(path, async (draft) => {
      await writeFile(draft, 'half');
      throw new Error('no more');
    });
    await assert.rejects(failing, { message: 'no more' });
    assert.equal(await readFile(path, 'utf8'), 'whole');
    assert.deepEqual(await readdir(folder()), ['disk']);
  });

  it('gives the mode that is asked for, whatever the draft had, also one that nobody may write to', async () => {
    const path = join(folder(), 'disk');
    await writeWhole(path, (draft) => writeFile(draft, '', { mode: 0o600 }), { mode: 0o444 });
    assert.equal((await stat(path)).mode & 0o777, 0o444);
  });

  it('keeps or refuses to replace what is there, where it is told to', async () => {
    const path = join(folder(), 'disk');
    const write = (draft: string): Promise<void> => writeFile(draft, 'new');
    await writeFile(path, 'old');
    await writeWhole(path, write, { ifPresent: 'keep' });
    await assert.rejects(writeWhole(path, write, { ifPresent: 'refuse' }), { code: 'path_exists' });
    assert.equal(await readFile(path, 'utf8'), 'old');
    await writeWhole(path, write, { isDurable: false });
    assert.equal(await readFile(path, 'utf8'), 'new');
    assert.deepEqual(await readdir(folder()), ['disk']);
  });

  it('names a file by what it turned out to be', async () => {
    await mkdir(join(folder(), 'blobs'));
    const nameOf = (digest: string): string => join(folder(), 'blobs', digest);
    await writeWhole({ beside: join(folder(), 'blob'), nameOf }, async (draft) => {
      await writeFile(draft, 'content');
      return 'abc';
    });
    assert.equal(await readFile(nameOf('abc'), 'utf8'), 'content');
    assert.deepEqual(await readdir(folder()), ['blobs']);
  });
});
