/** Bases of root disks: made once, never replaced, and refused when they are not the ones of before. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, basename, join } from 'node:path';
import { Bases, identify } from '../../../../../../src/backend/drivers/microvms/rootfs/bases';
import { findQemuImg } from '../../../../../../src/backend/drivers/microvms/rootfs/convert';
import { makeOverlay, readOverlay } from '../../../../../../src/backend/drivers/microvms/rootfs/overlay';
import { keepFile } from '../../../../../../src/backend/machine/publish';
import { writeWhole } from '../../../../../../src/backend/machine/whole-file';
import { MicrovmFiles } from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-files';
import type { RuntimeRecord } from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-record';
import { RuntimeStore } from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-store';
import { draftOf, isDraft } from '../../../../../../src/backend/machine/drafts';
import { acquireLock } from '../../../../../../src/backend/machine/lock';
import { imageOf, LayoutMaker } from '../../../../../support/images';
import { succeed } from '../../../../../support/programs';
import { useTempFolder } from '../../../../../support/temp';
import { checkClean, namesIn, never, silent, storeIn } from './store';

const log = { debug: silent, info: silent, warn: silent, error: silent };
const name = 'workspace-x';

function recordOf(imageId: string): RuntimeRecord {
  return {
    ...{ id: 'b3c1a1f0-0000-4000-8000-000000000000', imageId, env: {}, createdAt: '2026-11-26T00:00:00Z' },
    plan: {
      ...{ name, workspace: 'x', image: 'x', env: {}, limits: {}, docker: false, network: 'on' },
      ...{ homeVolume: name, mounts: [], sshPort: 2200 },
    },
  };
}

describe('bases of root disks', function () {
  this.timeout(60_000);
  const temp = useTempFolder();
  const layout = async () =>
    `oci:${await new LayoutMaker().add(imageOf([[{ name: 'one' }]])).write(join(temp(), 'l'))}`;
  const cache = () => join(temp(), 'cache');
  const rootsIn = (home: string, at = cache()) => storeIn(join(temp(), home), { cache: at });

  it('are made once by engines that share a cache, and are the same when each makes its own', async () => {
    const image = await layout();
    const [a, b] = await Promise.all([
      rootsIn('a').ensure(image, silent, never),
      rootsIn('b').ensure(image, silent, never),
    ]);
    assert.equal(a.path, b.path);
    assert.deepEqual(
      (await readdir(join(cache(), 'images', 'rootfs'))).map((file) => file.split('.').slice(1).join('.')),
      ['ext4', 'json'],
    );
    const own = await rootsIn('c', join(temp(), 'own')).ensure(image, silent, never);
    const uuidOf = async (path: string) => (await identify(path))?.uuid;
    assert.equal(await uuidOf(own.path), await uuidOf(a.path));
    await checkClean(own.path);
  });

  it('are never replaced, also when they count as not made', async () => {
    const image = await layout();
    const { path } = await rootsIn('a').ensure(image, silent, never);
    const before = await stat(path, { bigint: true });
    await rm(path.replace(/ext4$/, 'json'));
    await rootsIn('b').ensure(image, silent, never);
    const after = await stat(path, { bigint: true });
    assert.deepEqual([after.ino, after.mtimeNs], [before.ino, before.mtimeNs]);
    await writeWhole(path, (draft) => writeFile(draft, 'another'), { ifPresent: 'keep' });
    assert.equal((await stat(path, { bigint: true })).ino, before.ino);
    assert.deepEqual((await readdir(dirname(path))).filter(isDraft), []);
  });

  it('are waited for while another engine makes them, until the wait is cancelled; its old drafts go', async () => {
    const image = await layout();
    const roots = rootsIn('a');
    const digest = (await roots.resolve(image)) ?? '';
    const path = join(cache(), 'images', 'rootfs', `${digest.slice('sha256:'.length)}.ext4`);
    await mkdir(join(path, '..'), { recursive: true });
    const lock = acquireLock(`${path}.lock`);
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(), 300);
    await assert.rejects(roots.ensure(image, silent, cancel.signal), { code: 'cancelled' });
    for (const draft of [draftOf(path), `${draftOf(path)}.content`]) {
      await mkdir(draft);
      await utimes(draft, 1, 1);
    }
    const young = draftOf(path);
    await mkdir(young);
    await writeFile(`${path}.20261126`, 'of a user');
    let isMade = false;
    const making = roots.ensure(image, silent, never).then(() => (isMade = true));
    assert.equal(isMade, false);
    lock?.release();
    await making;
    const left = (await readdir(join(path, '..'))).map((file) => file.replace(/^[0-9a-f]+/, ''));
    assert.deepEqual(left, [basename(young), '.ext4', '.ext4.20261126', '.json']);
  });

  describe('of a runtime', () => {
    const files = () => new MicrovmFiles(join(temp(), 'home'), cache()).of(name);
    const store = () => new RuntimeStore(new MicrovmFiles(join(temp(), 'home'), cache()), log);
    const bases = () => new Bases({ store: store(), images: rootsIn('a'), qemuImg: findQemuImg, log });
    const made = async (): Promise<RuntimeRecord> => {
      const image = await rootsIn('a').ensure(await layout(), silent, never);
      await mkdir(files().folder, { recursive: true });
      const base = await bases().make(image, files());
      return store().write({ ...recordOf(image.digest), base });
    };
    const clear = () => rm(join(cache(), 'images'), { recursive: true });

    it('outlive the cache, and take no room of their own', async () => {
      const record = await made();
      assert.equal((await stat(files().base)).nlink, 2);
      await clear();
      await bases().require(record);
      await succeed('qemu-img', ['convert', '-O', 'raw', files().rootfs, join(temp(), 'merged')]);
      assert.deepEqual(await namesIn(join(temp(), 'merged'), '/'), ['one']);
    });

    it('come back from the cache when somebody removed them, and only if they are the same', async () => {
      const record = await made();
      await rm(files().base);
      await bases().require(record);
      assert(existsSync(files().base));
      await rm(files().base);
      await clear();
      await assert.rejects(bases().require(record), { code: 'gone', message: /base\.ext4/ });
      // Made anew: it has another time of making.
      await new Promise((resolve) => setTimeout(resolve, 1100));
      await rootsIn('a').ensure(await layout(), silent, never);
      await assert.rejects(bases().require(record), {
        code: 'illegal_state',
        message: /another file system/,
      });
      await rm(files().rootfs);
      await assert.rejects(bases().require(record), {
        code: 'gone',
        message: /root disk of workspace-x is gone/,
      });
    });

    /** As versions before this one made it. */
    const old = async (): Promise<RuntimeRecord> => {
      const image = await rootsIn('a').ensure(await layout(), silent, never);
      await mkdir(files().folder, { recursive: true });
      await makeOverlay(await findQemuImg(), image.path, files().rootfs);
      return store().write(recordOf(image.digest));
    };
    /** As a guest does that mounts it. */
    const mounted = async (from: string) => {
      const start = join(temp(), 'start');
      await succeed('dd', [`if=${from}`, `of=${start}`, 'bs=4096', 'count=1', 'status=none']);
      await succeed('qemu-io', ['-f', 'qcow2', '-c', `write -s ${start} 0 4096`, files().rootfs]);
    };

    for (const isMounted of [false, true]) {
      it(`of an earlier version become its own${isMounted ? ', once it was mounted too' : ''}`, async () => {
        const record = await old();
        const { backing = '' } = await readOverlay(files().rootfs);
        if (isMounted) {
          await mounted(backing);
        }
        await bases().require(record);
        const noted = await store().get(name);
        assert.deepEqual(noted.base, await identify(backing));
        assert.equal((await readOverlay(files().rootfs)).backing, files().base);
        await clear();
        await bases().require(noted);
        await rename(join(temp(), 'home'), join(temp(), 'moved'));
        await succeed('qemu-img', ['check', join(temp(), 'moved', 'workspaces', 'x', 'rootfs.qcow2')]);
      });
    }

    it('of an earlier version are refused when they were replaced, or are gone', async () => {
      const record = await old();
      const { backing = '' } = await readOverlay(files().rootfs);
      await mounted(backing);
      await rm(backing);
      await assert.rejects(bases().require(record), { code: 'gone' });
      await succeed('/sbin/mke2fs', ['-q', '-t', 'ext4', backing, '16384M']);
      await assert.rejects(bases().require(record), { code: 'illegal_state' });
      assert.equal((await store().get(name)).base, undefined);
      await writeFile(files().rootfs, 'not a disk');
      await assert.rejects(bases().require(record), { code: 'illegal_state', message: /damaged/ });
    });
  });

  it('are copied where no link leads, with their holes', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'berth-far-'));
    try {
      const { path } = await rootsIn('a').ensure(await layout(), silent, never);
      const to = join(elsewhere, 'base');
      let copies = 0;
      await keepFile(path, to, async (from, copy) => {
        copies += 1;
        await succeed('cp', ['--sparse=always', from, copy]);
      });
      assert(copies <= 1);
      assert.deepEqual(await identify(to), await identify(path));
      assert.deepEqual(await readdir(elsewhere), ['base']);
      await assert.rejects(
        keepFile(join(temp(), 'none'), to, () => Promise.resolve()),
        { code: 'ENOENT' },
      );
    } finally {
      await rm(elsewhere, { recursive: true, force: true });
    }
  });
});
