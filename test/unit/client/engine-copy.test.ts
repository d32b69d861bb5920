import assert from 'node:assert/strict';
import fs, { existsSync } from 'node:fs';
import {
  chmod,
  mkdir,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { StateDirectory } from '../../../src/backend/store/state-directory';
import { engineCopy } from '../../../src/client/engine-copy';
import { fillDisk, mountSmallDisk, unmount } from '../../support/files/small-disk';
import { useTempFolder } from '../../support/temp';
import { skipWithout } from '../../support/skip';

describe('client/engine-copy', () => {
  let disk: string | undefined;
  // Before the folder goes: hooks run in the order in which they are given.
  afterEach(() => disk !== undefined && unmount(disk));
  const folder = useTempFolder();
  const home = () => join(folder(), 'home');
  const extension = () => join(folder(), 'berth-1.0.0');
  const engine = () => join(extension(), 'dist', 'engine.js');
  const copies = async () => (await readdir(join(home(), 'engine'))).sort();

  beforeEach(async () => {
    await mkdir(join(extension(), 'dist'), { recursive: true });
    await mkdir(join(extension(), 'images/tools'), { recursive: true });
    await mkdir(home(), { mode: 0o700 });
    const bundles = [
      'engine',
      'engine-main',
      'disk-worker',
      'local-files',
      'network-filter',
      'ssh-proxy',
      'cli',
    ].map((name) => `dist/${name}.js`);
    for (const file of [...bundles, 'images/tools/run']) {
      await writeFile(join(extension(), file), file);
      await chmod(join(extension(), file), 0o755);
    }
  });

  it('has all that the engine reads when the folder of the extension is gone', async () => {
    const copy = engineCopy(home(), engine());
    await rename(extension(), `${extension()}-gone`);
    const root = join(copy, '../..');
    assert.equal(await readFile(copy, 'utf8'), 'dist/engine.js');
    for (const bundle of ['dist/engine-main.js', 'dist/disk-worker.js', 'dist/network-filter.js']) {
      assert.equal(await readFile(join(root, bundle), 'utf8'), bundle);
    }
    assert.equal((await stat(join(root, 'images/tools/run'))).mode & 0o777, 0o755);
    assert(!existsSync(join(root, 'dist/cli.js')));
  });

  it('is made once, and anew for whatever was built anew', async () => {
    const first = engineCopy(home(), engine());
    assert.equal(engineCopy(home(), engine()), first);
    await writeFile(join(extension(), 'images/tools/run'), 'another');
    const second = engineCopy(home(), engine());
    assert.notEqual(second, first);
    assert.equal((await copies()).length, 2);
    const old = new Date(Date.now() - 7_200_000);
    await Promise.all([first, second].map((path) => utimes(join(path, '../..'), old, old)));
    await mkdir(join(home(), 'engine/mine'));
    await utimes(join(home(), 'engine/mine'), old, old);
    await new StateDirectory(home()).sweepEngines(join(second, '..'));
    assert(!existsSync(first) && existsSync(second) && existsSync(join(home(), 'engine/mine')));
  });

  it('is copied anew where a file of it has lost its content, is another, or is missing', async () => {
    const copy = engineCopy(home(), engine());
    const root = join(copy, '../..');
    const damages = [
      () => truncate(copy),
      () => writeFile(copy, 'dist/engine.jz'),
      () => rm(join(root, 'dist/disk-worker.js')),
      () => rm(join(root, 'images'), { recursive: true }),
      () => rm(root, { recursive: true }),
    ];
    for (const damage of damages) {
      await damage();
      assert.equal(engineCopy(home(), engine()), copy);
      for (const file of ['dist/engine.js', 'dist/disk-worker.js', 'images/tools/run']) {
        assert.equal(await readFile(join(root, file), 'utf8'), file);
      }
      assert.equal((await copies()).length, 1, 'nothing of the damaged one is left');
    }
  });

  it('is on the disk before it has its name', () => {
    const calls: string[] = [];
    const { fsyncSync, renameSync } = fs;
    fs.fsyncSync = (descriptor) => {
      calls.push(fs.readlinkSync(`/proc/self/fd/${descriptor}`));
      fsyncSync(descriptor);
    };
    fs.renameSync = (from, to) => {
      calls.push('rename');
      renameSync(from, to);
    };
    try {
      engineCopy(home(), engine());
    } finally {
      Object.assign(fs, { fsyncSync, renameSync });
    }
    const named = calls.indexOf('rename');
    const before = calls.slice(0, named).map((path) => path.replace(/.*-draft-[0-9a-f]{32}/, ''));
    const folders = ['', '/dist', '/images', '/images/tools'];
    const bundles = [
      'disk-worker',
      'engine',
      'engine-main',
      'local-files',
      'network-filter',
      'ssh-proxy',
    ].map((name) => `/dist/${name}.js`);
    assert.deepEqual(before.sort(), [...folders, ...bundles, '/images/tools/run'].sort());
    assert.deepEqual(calls.slice(named + 1), [join(home(), 'engine'), home()]);
  });

  it('is not made of what is no bundle, and not waited for on a full disk (mounts a tmpfs: needs root)', async function () {
    const other = join(extension(), 'engine.js');
    assert.equal(engineCopy(home(), other), other);
    disk = home();
    if (!mountSmallDisk(home(), '64k')) {
      skipWithout(this, 'a small disk is mounted by root alone');
    }
    fillDisk(home());
    assert.equal(engineCopy(home(), engine()), engine());
    assert(!existsSync(join(home(), 'engine')) || (await copies()).length === 0);
  });
});
