import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StateDirectory } from '../../../src/backend/store/state-directory';
import { engineCopy } from '../../../src/client/engine-copy';
import { fillDisk, mountSmallDisk, unmountSmallDisk } from '../../support/small-disk';
import { useTempFolder } from '../../support/temp';

describe('client/engine-copy', () => {
  let disk: string | undefined;
  // Before the folder goes: hooks run in the order in which they are given.
  afterEach(() => disk !== undefined && unmountSmallDisk(disk));
  const folder = useTempFolder();
  const home = () => join(folder(), 'home');
  const extension = () => join(folder(), 'berth-1.0.0');
  const engine = () => join(extension(), 'dist', 'engine.js');
  const copies = async () => (await readdir(join(home(), 'engine'))).sort();

  beforeEach(async () => {
    await mkdir(join(extension(), 'dist'), { recursive: true });
    await mkdir(join(extension(), 'images/tools'), { recursive: true });
    await mkdir(home(), { mode: 0o700 });
    const bundles = ['dist/engine.js', 'dist/disk-worker.js', 'dist/network-filter.js', 'dist/cli.js'];
    for (const file of [...bundles, 'images/tools/run']) {
      await writeFile(join(extension(), file), file, { mode: 0o755 });
    }
  });

  it('has all that the engine reads when the folder of the extension is gone', async () => {
    const copy = engineCopy(home(), engine());
    await rename(extension(), `${extension()}-gone`);
    const root = join(copy, '../..');
    assert.equal(await readFile(copy, 'utf8'), 'dist/engine.js');
    for (const bundle of ['dist/disk-worker.js', 'dist/network-filter.js']) {
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

  it('is not made of what is no bundle, and not waited for on a full disk (mounts a tmpfs: needs root)', async function () {
    const other = join(extension(), 'engine.js');
    assert.equal(engineCopy(home(), other), other);
    disk = home();
    if (!mountSmallDisk(home(), '64k')) {
      this.skip();
    }
    fillDisk(home());
    assert.equal(engineCopy(home(), engine()), engine());
    assert(!existsSync(join(home(), 'engine')) || (await copies()).length === 0);
  });
});
