import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { PassThrough, Readable } from 'node:stream';
import { Ext4 } from '../../../../../src/backend/ext4/file-system';
import { Volume } from '../../../../../src/backend/files/disk/agent/places';
import { TarIn } from '../../../../../src/backend/files/disk/agent/tar-in';
import { useTempFolder } from '../../../../support/temp';
import { hasCode } from '../agent/harness';
import { bytesOf, debugfs, tarOf, TestDisk, type Member } from './harness';

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
    const { failed } = await disk.files.putTar(stage, Readable.from([tar]));
    assert.deepEqual(failed, [{ path: '/t/null', reason: 'it is neither a file, a folder nor a link' }]);
    await disk.files.mkdir('/to');
    assert.equal((await disk.files.merge(stage, '/to', 'fail')).files, 3);
    assert.deepEqual(await names('/to/t'), ['a.txt', 'd', 'pipe']);
    assert.equal(await get('/to/t/a.txt'), 'old');
    await disk.access.close();
    assert.match(debugfs(disk.image, 'stat /to/t/pipe'), /Type: FIFO/);
    assert.match(debugfs(disk.image, 'ea_get /to/t/a.txt user.note'), /hello/);
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

  it('lose nothing when another request fails while they arrive', async () => {
    await disk.put('/', [[{ name: 'u/x' }, 'x']]);
    const large: Member[] = [
      [{ name: 'first' }, 'first'],
      [{ name: 'more' }, 'm'.repeat(3 * 1024 * 1024)],
      [{ name: 'last' }, 'last'],
    ];
    const tar = await bytesOf(tarOf(large));
    const sending = new PassThrough();
    const stage = await disk.files.stage();
    const put = disk.files.putTar(stage, sending);
    sending.write(tar.subarray(0, 2 * 1024 * 1024));
    while ((await names(stage)).length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await assert.rejects(disk.files.rename('/t', '/u', { overwrite: true }), hasCode('directory_not_empty'));
    sending.end(tar.subarray(2 * 1024 * 1024));
    assert.deepEqual((await put).failed, []);
    assert.deepEqual(await names(stage), ['first', 'last', 'more']);
    assert.equal(await get(`${stage}/first`), 'first');
  });

  it('are committed together as long as nobody else has a turn', async () => {
    await disk.access.close();
    const fs = Ext4.open(disk.image);
    const tar = new TarIn(fs, new Volume(fs), { folder: '/t' });
    const bytes = await bytesOf(tarOf(fresh));
    tar.push(bytes.subarray(0, 1024), true);
    assert.ok(fs.changes > 0);
    tar.settle();
    assert.equal(fs.changes, 0);
    tar.push(bytes.subarray(1024, 2048), false);
    assert.equal(fs.changes, 0);
    tar.push(bytes.subarray(2048), true);
    tar.end();
    assert.equal(fs.changes, 0);
    fs.close();
    assert.equal(await get('/t/d/c'), 'new');
  });

  it('take nothing more once a part of them was wrong', async () => {
    await disk.access.close();
    const fs = Ext4.open(disk.image);
    const tar = new TarIn(fs, new Volume(fs), { folder: '/t' });
    const bytes = await bytesOf(tarOf([[{ name: 'z' }, 'z']]));
    assert.throws(() => tar.push(Buffer.alloc(512, 'x'), true), { code: 'bad_request' });
    tar.settle();
    assert.throws(() => tar.push(bytes, true), { code: 'bad_request' });
    assert.equal(fs.changes, 0);
    fs.close();
    assert.deepEqual(await names('/t'), ['a.txt', 'd']);
  });

  it('carry large files in a few buffers, which go back to be filled again', async () => {
    const content = Buffer.from(Uint32Array.from({ length: 3_000_000 }, (_, n) => n * 2_654_435_761).buffer);
    await disk.files.write('/t/large', content, over);
    const seen: Buffer[] = [];
    const copies: Buffer[] = [];
    await disk.files.receiveTar('/t/large', (chunk) => {
      seen.push(chunk);
      copies.push(Buffer.from(chunk));
      return undefined;
    });
    assert.ok(Buffer.concat(copies).includes(content));
    assert.ok(seen.filter(({ byteLength }) => byteLength === 0).length >= 10);
    assert.ok((await bytesOf(await disk.files.getTar('/t/large'))).includes(content));
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
});
