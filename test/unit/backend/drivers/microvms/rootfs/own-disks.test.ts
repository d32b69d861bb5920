/** Images that stay root disks: nothing is packed before one leaves this machine. */
import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import {
  convertDisk,
  copyOverlay,
  findQemuImg,
} from '../../../../../../src/backend/drivers/microvms/rootfs/convert';
import { makeOverlay, readOverlay } from '../../../../../../src/backend/drivers/microvms/rootfs/overlay';
import type { CommitFrom } from '../../../../../../src/backend/drivers/microvms/parts';
import { buildExt4 } from '../../../../../../src/backend/files/disk/filling/build';
import { draftOf } from '../../../../../../src/backend/machine/drafts';
import { tarOf } from '../../../../../support/images';
import { succeed } from '../../../../../support/programs';
import { useTempFolder } from '../../../../../support/temp';
import { checkClean, debugfs, namesIn, never, silent, storeIn } from './store';

const config = { env: ['A=b'], user: 'me', workdir: '/w', entrypoint: ['/e'], cmd: ['c'] };
const secret = 'a secret that was put in '.repeat(1_000);
const members = [
  { name: 'etc', type: 'directory' as const },
  { name: 'etc/password', content: secret },
  { name: 'etc/kept', content: 'kept' },
  { name: 'large', content: Buffer.alloc(4_000_000, 'content ') },
];
const links = [
  { name: 'run', type: 'directory' as const },
  { name: 'run/secret', content: secret },
  { name: 'var', type: 'symlink' as const, linkName: '/run/../..//run/' },
  { name: 'up', type: 'symlink' as const, linkName: '../../run' },
  { name: 'loop', type: 'symlink' as const, linkName: '/loop/x' },
  { name: 'home', type: 'symlink' as const, linkName: '/workspace' },
  { name: 'workspace', type: 'directory' as const },
  { name: 'workspace/run', content: secret },
];

describe('rootfs/own-disks', function () {
  this.timeout(120_000);
  const temp = useTempFolder();
  const options = { progress: silent, signal: never };
  const disks = (): string => join(temp(), 'home', 'images', 'disks');

  /** A root disk over a base, with a file of its own. */
  async function source(without: readonly string[] = [], more: typeof links = []): Promise<CommitFrom> {
    const qemuImg = await findQemuImg();
    const [base, own] = [join(temp(), 'own-base.ext4'), join(temp(), 'own.qcow2')];
    await buildExt4(base, Readable.from([tarOf([...members, ...more])]), { sizeMiB: 64 });
    await makeOverlay(qemuImg, base, own);
    const [named, start] = [join(temp(), 'named.ext4'), join(temp(), 'start')];
    copyFileSync(base, named);
    await succeed('/sbin/tune2fs', ['-L', 'of-its-own', named]);
    writeFileSync(start, readFileSync(named).subarray(0, 4096));
    await succeed('qemu-io', ['-f', 'qcow2', '-c', `write -q -s ${start} 0 4096`, own]);
    const disk = { path: own, format: 'qcow2' } as const;
    return {
      ...{ name: 'demo', bytes: statSync(own).size, imageId: 'sha256:1', config, without, isLocal: true },
      copyTo: (draft, how) => convertDisk(qemuImg, disk, draft, how),
      layer: { base, copyTo: (draft, how) => copyOverlay(qemuImg, disk, base, draft, how) },
    };
  }

  it('takes what is its own, and is a root file system again without what was put in', async () => {
    const store = storeIn(temp());
    const from = await source(['/etc/password', '/etc/never-there', '/nowhere/at/all']);
    const seen: number[] = [];
    const id = await store.commit(from, 'berth-fork/w:1', {
      ...options,
      progress: ({ done }) => void seen.push(done),
    });
    assert(seen.length > 0);
    const [folder = ''] = readdirSync(disks());
    assert.deepEqual(readdirSync(join(disks(), folder)).sort(), ['base.ext4', 'image.json', 'layer.qcow2']);
    const layer = join(disks(), folder, 'layer.qcow2');
    assert.equal((await readOverlay(layer)).backing, join(disks(), folder, 'base.ext4'));
    assert(statSync(layer).blocks * 512 < 1_000_000, 'what is the base’s is not copied');
    assert(!readFileSync(layer).includes(join(temp(), 'own-base.ext4')), 'it can be moved');
    // The runtime goes, and its base with it.
    rmSync(from.layer.base);

    const [listed] = await store.list();
    assert.deepEqual([listed?.id, listed?.tags], [id, ['berth-fork/w:1']]);
    assert.equal(await store.resolve('berth-fork/w:1'), id);
    assert(await store.has('berth-fork/w:1'));
    const { digest, path, config: kept } = await store.ensure('berth-fork/w:1', silent, never);
    assert.deepEqual([digest, kept], [id, config]);
    await checkClean(path);
    assert.deepEqual(await namesIn(path, '/etc'), ['kept']);
    assert(!readFileSync(path).includes('a secret'), 'nor in blocks that are free');
    assert.match(await debugfs(path, 'show_super_stats -h'), /volume name:\s+of-its-own/);

    await store.remove('berth-fork/w:1');
    assert.deepEqual([readdirSync(disks()), existsSync(path), await store.list()], [[], false, []]);
    await assert.rejects(store.remove('berth-fork/w:1'), { code: 'image_missing' });
  });

  it('is packed when it leaves, once, and goes with that', async () => {
    const store = storeIn(temp());
    await store.commit(await source(['/etc/password']), 'berth-fork/w:2', options);
    for (let round = 0; round < 2; round += 1) {
      const { tar } = await store.save('berth-fork/w:2', never);
      const file = join(temp(), `saved-${round}.tar`);
      writeFileSync(file, await text(tar.setEncoding('latin1')), 'latin1');
      assert.match((await store.resolve(`docker-archive:${file}:berth-fork/w:2`)) ?? '', /^sha256:/);
      const { path } = await store.ensure(`docker-archive:${file}:berth-fork/w:2`, silent, never);
      assert.deepEqual(await namesIn(path, '/'), ['etc', 'large']);
      assert.deepEqual(await namesIn(path, '/etc'), ['kept']);
    }
    assert.equal((await store.list()).length, 1);
    await store.remove('berth-fork/w:2');
    assert.deepEqual(await store.list(), []);
    assert.deepEqual(readdirSync(join(store.own.committed.folder, 'blobs', 'sha256')), []);
  });

  it('takes a name from what had it, of either form', async () => {
    const store = storeIn(temp());
    const from = await source();
    const names = async () => (await store.list()).map(({ tags }) => tags).flat();
    await store.commit(from, 'mine:1', options);
    const second = await store.commit(from, 'mine:1', options);
    assert.deepEqual([await names(), await store.resolve('mine:1')], [['mine:1'], second]);
    const packed = await store.commit({ ...from, isLocal: false }, 'mine:1', options);
    assert.deepEqual([await names(), await store.resolve('mine:1')], [['mine:1'], packed]);
    assert.deepEqual(readdirSync(disks()), []);
  });

  it('leaves nothing when it fails, and takes away what a killed engine has left', async () => {
    const from = await source();
    const failing = { ...from, layer: { ...from.layer, copyTo: () => Promise.reject(new Error('no room')) } };
    await assert.rejects(storeIn(temp()).commit(failing, 'mine:1', options), /no room/);
    assert.deepEqual(readdirSync(disks()), []);

    const kept = await storeIn(temp()).commit(from, 'mine:1', options);
    const [removed, draft] = [join(disks(), 'a'.repeat(64)), draftOf(join(disks(), 'x'))];
    for (const left of [removed, draft]) {
      mkdirSync(left);
      writeFileSync(join(left, 'layer.qcow2'), 'x');
    }
    mkdirSync(join(disks(), 'of-somebody-else'));
    assert.equal(await storeIn(temp()).resolve('mine:1'), kept);
    assert.deepEqual(readdirSync(disks()).sort(), [kept.slice('sha256:'.length), 'of-somebody-else'].sort());
  });

  it('finds what was put in by the links of the system, wherever they lead', async () => {
    const store = storeIn(temp());
    const paths = [
      '/var/secret',
      '/home/run',
      '/etc/kept/below',
      '/loop/x/y',
      '/up/nothing',
      '/etc/password',
    ];
    await store.commit(await source(paths, links), 'berth-fork/w:3', options);
    const { path } = await store.ensure('berth-fork/w:3', silent, never);
    await checkClean(path);
    const all = ['etc', 'home', 'large', 'loop', 'run', 'up', 'var', 'workspace'];
    assert.deepEqual(await namesIn(path, '/'), all);
    const left = await Promise.all(['/etc', '/run', '/workspace'].map((each) => namesIn(path, each)));
    assert.deepEqual(left, [['kept'], [], []]);
    assert(!readFileSync(path).includes('a secret'));
  });

  it('is packed where files can not be taken out of it', async () => {
    const from = await source(['/etc/password']);
    await succeed('/sbin/tune2fs', ['-O', 'project', from.layer.base]);
    const store = storeIn(temp());
    await store.commit(from, 'berth-fork/w:4', options);
    assert(!existsSync(disks()) || readdirSync(disks()).length === 0);
    const { path } = await store.ensure('berth-fork/w:4', silent, never);
    assert.deepEqual(await namesIn(path, '/etc'), ['kept']);
  });

  it('refuses a base that is not the one it was copied over', async () => {
    const from = await source();
    const copyTo: CommitFrom['copyTo'] = async (path, how) => {
      await from.layer.copyTo(path, how);
      await succeed('/sbin/tune2fs', ['-U', 'random', from.layer.base]);
    };
    const other = { ...from, layer: { ...from.layer, copyTo } };
    await assert.rejects(storeIn(temp()).commit(other, 'mine:1', options), { code: 'illegal_state' });
    assert.deepEqual(readdirSync(disks()), []);
  });

  it('is not taken for gone where it can not be read now', async () => {
    const store = storeIn(temp());
    mkdirSync(join(temp(), 'home', 'images'), { recursive: true });
    writeFileSync(disks(), 'no folder');
    await assert.rejects(store.resolve('mine:1'), { code: 'ENOTDIR' });
    rmSync(disks());
    const id = await store.commit(await source(), 'mine:1', options);
    const damaged = join(disks(), 'b'.repeat(64));
    mkdirSync(damaged);
    writeFileSync(join(damaged, 'image.json'), '{');
    assert.equal(await store.resolve('mine:1'), id);
    rmSync(join(damaged, 'image.json'));
    mkdirSync(join(damaged, 'image.json'));
    await assert.rejects(store.resolve('mine:1'), { code: 'EISDIR' });
  });
});
