/** A disk becomes an image, and the image a disk again: what was on it is on it. */
import assert from 'node:assert/strict';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { buildExt4 } from '../../../../../../src/backend/files/disk/filling/build';
import { commitDisk } from '../../../../../../src/backend/drivers/microvms/rootfs/commit';
import { imageOf, LayoutMaker, tarOf, type Member } from '../../../../../support/images';
import { succeed } from '../../../../../support/programs';
import { useTempFolder } from '../../../../../support/temp';
import { checkClean, debugfs, namesIn, never, silent, storeIn } from './store';

const capability = Buffer.from('0100000200ff8000000000000000000000000000', 'hex');
const members: Member[] = [
  { name: 'etc', type: 'directory', mode: 0o750, uid: 3, gid: 4 },
  { name: 'etc/hostname', content: 'secret-name' },
  { name: 'etc/machine-id', content: 'id' },
  { name: 'etc/injected', content: 'a password' },
  { name: 'etc/kept', content: 'kept', mode: 0o640, uid: 100_000, gid: 7 },
  { name: '.berth', type: 'directory' },
  { name: '.berth/sshd', content: 'ours' },
  { name: 'bin/su', mode: 0o4755, content: 'su', xattrs: new Map([['security.capability', capability]]) },
  { name: 'bin/su2', type: 'link', linkName: 'bin/su' },
  { name: 'lib', type: 'symlink', linkName: 'usr/lib' },
  { name: 'long', type: 'symlink', linkName: 'x/'.repeat(80) },
  { name: `${'deep/'.repeat(30)}file`, content: 'deep' },
  { name: 'dev/sda', type: 'other', special: { kind: 'block', major: 259, minor: 7_000 }, mode: 0o660 },
  { name: 'dev/tty', type: 'other', special: { kind: 'character', major: 5, minor: 0 } },
  { name: 'pipe', type: 'other', special: { kind: 'fifo', major: 0, minor: 0 }, mode: 0o622 },
  { name: 'odd-\uefe9', content: 'odd' },
  { name: 'large', content: Buffer.alloc(2_500_000, 'content ') },
];

describe('rootfs/commit', function () {
  this.timeout(120_000);
  const temp = useTempFolder();
  const options = { progress: silent, signal: never };
  const config = { env: ['A=b'], user: 'me', workdir: '/w', entrypoint: ['/e'], cmd: ['c'] };

  async function disk(): Promise<string> {
    const path = join(temp(), 'disk.ext4');
    await buildExt4(path, Readable.from([tarOf(members)]), { sizeMiB: 64 });
    return path;
  }

  it('keeps all but what is this machine alone, and what was put in', async () => {
    const store = storeIn(temp());
    const layout = store.own.committed;
    const source = { name: 'demo', disk: await disk(), config, without: ['/etc/injected'] };
    const seen: number[] = [];
    const progress = ({ done, total }: { done: number; total: number }) => seen.push(done / total);
    const { id, descriptor } = await commitDisk(source, layout, { ...options, progress });
    await layout.tag('mine:1', descriptor);
    assert(seen.length > 0 && seen.every((share) => share > 0 && share <= 1), String(seen));

    const { digest, path, config: kept } = await store.ensure('mine:1', silent, never);
    assert.equal(digest, id);
    assert.deepEqual(kept, config);
    await checkClean(path);
    assert.deepEqual(await namesIn(path, '/etc'), ['hostname', 'kept', 'machine-id']);
    assert.equal(await debugfs(path, 'cat /etc/hostname'), '');
    assert.equal(await debugfs(path, 'cat /etc/machine-id'), '');
    assert(!(await namesIn(path, '/')).includes('.berth'));
    assert.match(await debugfs(path, 'stat /etc'), /Mode:\s+0750[^]*User:\s+3\s+Group:\s+4/);
    assert.match(
      await debugfs(path, 'stat /etc/kept'),
      /Mode:\s+0640[^]*User:\s+100000[^]*mtime: 0x6553f100/,
    );
    assert.match(await debugfs(path, 'stat /bin/su2'), /Mode:\s+04755[^]*Links: 2/);
    const out = join(temp(), 'out');
    await debugfs(path, `ea_get -f ${out} /bin/su2 security.capability`);
    assert.deepEqual(await readFile(out), capability);
    assert.match(await debugfs(path, 'stat /lib'), /symlink[^]*usr\/lib/);
    assert.match(await debugfs(path, `stat /${'deep/'.repeat(30)}file`), /regular/);
    const dev = await debugfs(path, 'stat /dev/sda');
    assert.match(dev, /block special[^]*Mode:\s+0660/);
    assert.equal(dev.split('\n').at(-1), (await debugfs(source.disk, 'stat /dev/sda')).split('\n').at(-1));
    assert.match(await debugfs(path, 'stat /pipe'), /FIFO[^]*Mode:\s+0622/);
    await debugfs(path, `dump /large ${out}`);
    assert.equal((await readFile(out)).length, 2_500_000);
  });

  it('is listed, saved as tar says, and removed with what only it needed', async () => {
    const store = storeIn(temp());
    const layout = store.own.committed;
    const source = { name: 'demo', disk: await disk(), config, without: [] };
    const { id, descriptor } = await commitDisk(source, layout, options);
    await layout.tag('mine:latest', descriptor);
    const [listed] = await store.list();
    assert.deepEqual([listed?.id, listed?.tags], [id, ['mine:latest']]);
    assert((listed?.sizeBytes ?? 0) > 1000);
    assert.equal(await store.resolve('mine'), id);

    const tar = join(temp(), 'saved.tar');
    const saved = await store.save('mine', options.signal);
    await pipeline(saved.tar, createWriteStream(tar));
    const names = await succeed('tar', ['-tf', tar]);
    assert.match(names, /oci-layout\nindex\.json\nmanifest\.json\nblobs\/sha256\//);
    for (const image of [`docker-archive:${tar}:mine`, `oci:${tar}`, `oci:${tar}:latest`]) {
      assert.equal(await store.resolve(image), id, image);
    }
    await assert.rejects(store.save('other', options.signal), { code: 'image_missing' });

    const other = imageOf([[{ name: 'x' }]]);
    const part = await layout.put(other.config);
    await store.remove('mine');
    await assert.rejects(store.remove('mine'), { code: 'image_missing' });
    assert.deepEqual(await store.list(), []);
    assert(!(await layout.has(part)));
    assert.deepEqual(await readdir(join(layout.folder, 'blobs', 'sha256')), []);
  });

  it('takes the name from what had it, and keeps what two images share', async () => {
    const store = storeIn(temp());
    const layout = store.own.committed;
    const source = { name: 'demo', disk: await disk(), config, without: [] };
    const first = await commitDisk(source, layout, options);
    await layout.tag('mine:1', first.descriptor);
    const second = await commitDisk({ ...source, config: { ...config, cmd: ['d'] } }, layout, options);
    await layout.tag('mine:1', second.descriptor);
    await layout.tag('mine:2', second.descriptor);
    await store.remove('mine:2');
    assert.equal(await store.resolve('mine:1'), second.id);
    const { path } = await store.ensure('mine:1', silent, never);
    await checkClean(path);
    assert(!(await layout.has(first.descriptor)));
  });

  it('replays the journal of a machine that was killed, and leaves nothing when it is cancelled', async () => {
    const store = storeIn(temp());
    const layout = store.own.committed;
    const source = { name: 'demo', disk: await disk(), config, without: [] };
    const abort = new AbortController();
    const progress = () => abort.abort();
    await assert.rejects(commitDisk(source, layout, { progress, signal: abort.signal }), {
      code: 'cancelled',
    });
    assert.deepEqual(await readdir(layout.folder), ['blobs']);
    await succeed('/sbin/debugfs', ['-w', '-R', 'feature needs_recovery', source.disk]);
    await commitDisk(source, layout, options);
  });

  it('refuses a disk that is damaged', async () => {
    const path = join(temp(), 'bad.ext4');
    await writeFile(path, Buffer.alloc(1_000_000));
    const store = storeIn(temp());
    await mkdir(store.own.committed.folder, { recursive: true });
    const source = { name: 'demo', disk: path, config, without: [] };
    await assert.rejects(commitDisk(source, store.own.committed, options), {
      code: 'internal',
      message: /ext4/,
    });
  });

  it('finds layouts of others beside its own', async () => {
    const layout = await new LayoutMaker().add(imageOf([[{ name: 'x' }]])).write(join(temp(), 'l'));
    const store = storeIn(temp());
    assert.match((await store.resolve(`oci:${layout}`)) ?? '', /^sha256:/);
    assert.deepEqual(await store.list(), []);
  });
});
