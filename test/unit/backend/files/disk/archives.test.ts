import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { FileChange } from '../../../../../src/api/files/schemas';
import { useTempFolder } from '../../../../support/temp';
import { until } from '../../../../support/wait';
import { hasCode } from '../agent/harness';
import { bytesOf, debugfs, membersOf, tarOf, TestDisk, type Member } from './harness';

const over = { create: true, overwrite: true };

describe('archives of a stopped disk', function () {
  this.timeout(60_000);
  let disk: TestDisk;
  // Before the folder goes.
  afterEach(async () => {
    await disk.check();
    await disk.dispose();
  });
  const folder = useTempFolder();
  const get = async (path: string): Promise<string> =>
    (await bytesOf(await disk.files.read(path))).toString();
  const names = async (path: string) => (await disk.files.list(path)).entries.map(({ name }) => name);

  beforeEach(async () => {
    disk = await TestDisk.create(folder());
    await disk.put('/', [
      [{ name: 't/a.txt', uid: 12, gid: 13, mode: 0o751 }, 'old'],
      [{ name: 't/d/b' }, 'old'],
    ]);
  });

  const fresh: Member[] = [
    [{ name: 'a.txt', uid: 1, gid: 1 }, 'new'],
    [{ name: 'd/b' }, 'new'],
    [{ name: 'd/c' }, 'new'],
  ];

  async function staged(members = fresh): Promise<string> {
    const stage = await disk.files.stage();
    await disk.files.putTar(stage, tarOf(members));
    return stage;
  }

  it('arrive unseen, and go without a trace', async () => {
    const stage = await staged();
    assert.deepEqual(await names('/'), ['t']);
    assert.equal((await disk.files.usage('/')).files, 2);
    assert.equal((await disk.files.stat(stage)).mode, 0o700);
    await disk.files.unstage(stage);
    await assert.rejects(disk.files.stat(stage), hasCode('path_not_found'));
    await disk.files.unstage(stage);
  });

  it('overwrite files, merge folders, keep mode and owner of what they replace', async () => {
    const result = await disk.files.merge(await staged(), '/t', 'overwrite');
    assert.deepEqual(result, { files: 3, skipped: [], renamed: [], failed: [] });
    assert.equal((await get('/t/a.txt')) + (await get('/t/d/b')), 'newnew');
    const { mode, uid, gid } = await disk.files.stat('/t/a.txt');
    assert.deepEqual([mode, uid, gid], [0o751, 12, 13]);
    assert.deepEqual(await names('/'), ['t']);
  });

  it('skip, rename, or fail', async () => {
    const skipped = await disk.files.merge(await staged(), '/t', 'skip');
    assert.deepEqual(skipped, { files: 1, skipped: ['/a.txt', '/d/b'], renamed: [], failed: [] });
    assert.equal(await get('/t/a.txt'), 'old');
    await disk.files.write('/t/a (2).txt', Buffer.from('also there'), over);
    const renamed = await disk.files.merge(await staged(), '/t', 'rename');
    assert.deepEqual(renamed.renamed, [
      { from: '/a.txt', to: '/a (3).txt' },
      { from: '/d', to: '/d (2)' },
    ]);
    assert.deepEqual([renamed.files, await names('/t/d (2)')], [3, ['b', 'c']]);
    await assert.rejects(disk.files.merge(await staged(), '/t', 'fail'), hasCode('path_exists'));
    assert.deepEqual(await names('/'), ['t']);
  });

  it('neither replace a folder by a file nor the other way round, nor go through a link', async () => {
    await disk.put('/t', [[{ name: 'link', type: 'symlink', linkname: '/etc' }]]);
    const stage = await staged([
      [{ name: 'd' }, 'a file'],
      [{ name: 'a.txt/x' }, 'in a folder'],
      [{ name: 'link/x' }, 'through a link'],
    ]);
    const { failed, files } = await disk.files.merge(stage, '/t', 'overwrite');
    assert.deepEqual([failed.map(({ path }) => path), files], [['/a.txt', '/d', '/link'], 0]);
  });

  it('come out as they went in: names, sizes, modes, times, owners, links', async () => {
    const mtime = new Date(1_234_567_890_000);
    const long = 'n'.repeat(150);
    await disk.put('/', [
      [{ name: `x/${long}`, uid: 1000, gid: 1001, mode: 0o4751, mtime }, 'long'],
      [{ name: 'x/big', mode: 0o600 }, Buffer.alloc(3_000_001, 'b')],
      [{ name: 'x/empty' }, ''],
      [{ name: 'x/hard', type: 'link', linkname: 'x/big' }],
      [{ name: 'x/link', type: 'symlink', linkname: '/etc/passwd' }],
      [{ name: 'x/bare', type: 'directory', mode: 0o2770, mtime }],
    ]);
    const seen = await membersOf(await bytesOf(await disk.files.getTar('/x')));
    assert.deepEqual(seen[`x/${long}`], ['file', 4, 0o751, 1000, 1001, +mtime, null]);
    assert.deepEqual(seen['x/bare/']?.[2], 0o2770);
    const links = [seen['x/big']?.[0], seen['x/hard']?.[0]].sort();
    assert.deepEqual(links, ['file', 'link']);
    assert.equal(seen['x/link']?.[6], '/etc/passwd');
    assert.equal(Object.keys(seen).length, 7);
  });

  it('keep the holes of sparse files as GNU tar packs them', async () => {
    const size = 3 * 1024 ** 3 + 777;
    const file = openSync(join(folder(), 'sparse'), 'w');
    writeSync(file, Buffer.alloc(5000, 'm'), 0, 5000, 1024 ** 3 + 512);
    closeSync(file);
    truncateSync(join(folder(), 'sparse'), size);
    for (const format of ['gnu', 'pax']) {
      const input = execFileSync('tar', ['-C', folder(), `--format=${format}`, '-S', '-c', 'sparse']);
      const stage = await disk.files.stage();
      await disk.files.putTar(stage, Readable.from([input]));
      await disk.files.merge(stage, '/', 'overwrite');
      assert.equal((await disk.files.stat('/sparse')).size, size);
      const all = await disk.files.read('/sparse', { offset: 1024 ** 3, length: 8192 });
      const wanted = Buffer.alloc(8192).fill('m', 512, 5512);
      assert((await bytesOf(all)).equals(wanted), format);
    }
  });

  it('keep pipes, and say what else of an entry a disk can not be given', async () => {
    await disk.access.close();
    const input = 'cd t\nmknod pipe p\nmknod null c 1 3\nea_set a.txt user.note hello\n';
    execFileSync('debugfs', ['-w', '-f', '-', disk.image], { input, stdio: ['pipe', 'ignore', 'ignore'] });
    const tar = await bytesOf(await disk.files.getTar('/t'));
    const listed = execFileSync('tar', ['-tv'], { input: tar }).toString();
    assert.match(listed, /^p.* t\/pipe$/m);
    assert.match(listed, /^c.* 1,3 .* t\/null$/m);
    assert.match(tar.toString('latin1'), /SCHILY\.xattr\.user\.note=hello\n/);
    const stage = await disk.files.stage();
    await disk.files.putTar(stage, Readable.from([tar]));
    await disk.files.mkdir('/to');
    const { failed, files } = await disk.files.merge(stage, '/to', 'fail');
    assert.deepEqual(
      failed.sort((a, b) => (a.path < b.path ? -1 : 1)),
      [{ path: '/t/null', reason: 'it is neither a file, a folder nor a link' }],
    );
    assert.equal(files, 3);
    assert.deepEqual(await names('/to/t'), ['a.txt', 'd', 'pipe']);
    assert.equal(await get('/to/t/a.txt'), 'old');
    await disk.access.close();
    assert.match(debugfs(disk.image, 'stat /to/t/pipe'), /Type: FIFO/);
    assert.match(debugfs(disk.image, 'ea_get /to/t/a.txt user.note'), /hello/);
  });

  it('are refused when they would lead out, and leave nothing', async () => {
    const evil: Member[][] = [
      [[{ name: '../evil' }, 'x']],
      [[{ name: '/evil' }, 'x']],
      [[{ name: 'out', type: 'symlink', linkname: '/etc' }], [{ name: 'out/passwd' }, 'x']],
      [[{ name: 'stolen', type: 'link', linkname: '../../t/a.txt' }]],
    ];
    for (const members of evil) {
      const stage = await disk.files.stage();
      await assert.rejects(disk.files.putTar(stage, tarOf(members)), hasCode('bad_request'));
      await disk.files.unstage(stage);
    }
    assert.deepEqual(await names('/'), ['t']);
  });

  it('that are dead are swept by the next upload, that of a killed engine too', async () => {
    const stage = await staged();
    await disk.access.close();
    await assert.rejects(disk.files.stat(stage), hasCode('path_not_found'));
    await disk.files.mkdir('/.berth-stage-00000000000000ad');
    await disk.files.write('/.berth-stage-00000000000000ad/x', Buffer.from('x'), over);
    await disk.access.close();
    await disk.files.unstage(await disk.files.stage());
    await disk.access.close();
    assert.doesNotMatch(debugfs(disk.image, 'ls -p /'), /berth-stage/);
  });

  it('carry ten thousand files, into one folder, with an index that others understand', async () => {
    const members = Array.from({ length: 10_000 }, (_, n): Member => [{ name: `many/file-${n}` }, `${n}`]);
    await disk.put('/', members);
    const { entries, total } = await disk.files.list('/many');
    assert.deepEqual([entries.length, total], [10_000, 10_000]);
    await disk.access.close();
    assert.equal(debugfs(disk.image, 'cat /many/file-7777'), '7777');
    assert.match(debugfs(disk.image, 'stat /many'), /Flags: 0x81000/);
  });

  it('and all else that changes are told to whoever watches', async () => {
    const seen: FileChange[] = [];
    const has = (type: string, path: string) =>
      seen.some((change) => change.type === type && change.path === path);
    const stop = await disk.files.watch('/t', { recursive: true }, (changes) => seen.push(...changes));
    await disk.files.merge(await staged(), '/t', 'overwrite');
    await disk.files.mkdir('/t/new');
    await disk.files.write('/t/new/x', Buffer.from('x'), over);
    await disk.files.rename('/t/new', '/t/moved', { overwrite: false });
    await disk.files.chmod('/t/a.txt', 0o600);
    await until(
      'the changes are told',
      () => has('changed', '/t/a.txt') && has('created', '/t/d/c') && has('created', '/t/moved'),
    );
    assert.ok(!seen.some(({ path }) => path.includes('.berth-')));
    stop();
    await assert.rejects(
      disk.files.watch('/none', { recursive: false }, () => undefined),
      hasCode('path_not_found'),
    );
    const gone = await disk.files.watch('/t/d', { recursive: true }, (changes) => seen.push(...changes));
    await disk.files.remove('/t', { recursive: true });
    await until('the end is told', () => has('deleted', '/t/d'));
    gone();
  });
});
