import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { useTempFolder } from '../../../../support/temp';
import { hasCode } from '../agent/harness';
import { bytesOf, debugfs, TestDisk } from './harness';

const anew = { create: true, overwrite: false };
const over = { create: true, overwrite: true };

describe('files of a stopped disk', function () {
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
  const put = (path: string, text: string | Buffer) => disk.files.write(path, Buffer.from(text), over);
  const names = async (path: string) => (await disk.files.list(path)).entries.map(({ name }) => name);

  beforeEach(async () => {
    disk = await TestDisk.create(folder());
  });

  it('are written, read and told about, and others read the same', async () => {
    const before = Date.now();
    const entry = await disk.files.write('/a.txt', Buffer.from('hello'), { ...anew, mode: 0o600 });
    assert.deepEqual([entry.name, entry.type, entry.size, entry.mode], ['a.txt', 'file', 5, 0o600]);
    assert.ok(entry.mtimeMs >= before - 1 && entry.mtimeMs <= Date.now() + 1);
    assert.equal(await get('/a.txt'), 'hello');
    assert.deepEqual(await disk.files.stat('//./a.txt'), entry);
    await disk.access.close();
    assert.equal(debugfs(disk.image, 'cat /a.txt'), 'hello');
    assert.equal(await get('/a.txt'), 'hello');
  });

  it('are not joined by the folder that e2fsck wants, while nothing is in it', async () => {
    await disk.files.mkdir('/lost+found');
    await disk.files.mkdir('/sub');
    await disk.files.mkdir('/sub/lost+found');
    assert.deepEqual(await names('/'), ['sub']);
    assert.equal((await disk.files.list('/')).total, 1);
    assert.deepEqual(await names('/sub'), ['lost+found']);
    const tar = execFileSync('tar', ['-t'], { input: await bytesOf(await disk.files.getTar('/')) });
    assert.deepEqual(tar.toString().trim().split('\n').sort(), ['./', './sub/', './sub/lost+found/']);
    await put('/lost+found/#12', 'found');
    assert.deepEqual(await names('/'), ['lost+found', 'sub']);
    await disk.files.remove('/lost+found', { recursive: true });
  });

  it('are read in ranges, empty, and past the end', async () => {
    await put('/a', '0123456789');
    await put('/empty', '');
    const range = async (offset: number, length?: number) =>
      (
        await bytesOf(await disk.files.read('/a', { offset, ...(length !== undefined && { length }) }))
      ).toString();
    assert.equal(await range(3, 4), '3456');
    assert.equal(await range(8), '89');
    assert.equal(await range(50), '');
    assert.equal(await get('/empty'), '');
  });

  it('are streamed when they are large, both ways', async () => {
    const content = Buffer.alloc(9_000_001, 'abcdefghijk');
    const pieces = [content.subarray(0, 70_001), content.subarray(70_001)];
    const entry = await disk.files.write('/big', Readable.from(pieces), anew);
    assert.equal(entry.size, content.length);
    assert.ok((await bytesOf(await disk.files.read('/big'))).equals(content));
    const middle = await bytesOf(await disk.files.read('/big', { offset: 4_000_001, length: 2_600_000 }));
    assert.ok(middle.equals(content.subarray(4_000_001, 6_600_001)));
    await disk.access.close();
    assert.equal(debugfs(disk.image, 'cat /big').length, content.length);
  });

  it('honour create and overwrite; only one of many wins a new name', async () => {
    await assert.rejects(
      disk.files.write('/a', Buffer.from('x'), { create: false, overwrite: true }),
      hasCode('path_not_found'),
    );
    const tries = Array.from({ length: 20 }, () => disk.files.write('/a', Buffer.from('1'), anew));
    const won = (await Promise.allSettled(tries)).filter(({ status }) => status === 'fulfilled');
    assert.equal(won.length, 1);
    await put('/a', '3');
    assert.equal(await get('/a'), '3');
  });

  it('keep mode and owner when they are replaced; new ones belong to the owner of the folder', async () => {
    await disk.put('/', [
      [{ name: 'home', type: 'directory', uid: 1000, gid: 1001, mode: 0o755 }],
      [{ name: 'home/old', uid: 70_007, gid: 8, mode: 0o4640 }, 'old'],
    ]);
    const made = await disk.files.write('/home/new', Buffer.from('x'), anew);
    assert.deepEqual([made.uid, made.gid, made.mode], [1000, 1001, 0o644]);
    const entry = await disk.files.write('/home/old', Buffer.from('y'), over);
    assert.deepEqual([entry.uid, entry.gid, entry.mode], [70_007, 8, 0o640]);
    const deep = await disk.files.mkdir('/home/deep/er', { parents: true });
    assert.deepEqual([deep.uid, deep.mode], [1000, 0o755]);
  });

  it('are as they were when a write breaks off', async () => {
    await put('/a', 'old');
    const before = (await disk.files.usage('/')).allocated;
    async function* broken(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(2_000_000);
      await sleep(1);
      throw new Error('the sender is gone');
    }
    await assert.rejects(disk.files.write('/a', Readable.from(broken()), over), /sender is gone/);
    const cancelling = new AbortController();
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        yield Buffer.alloc(300_000);
        await sleep(2);
        cancelling.abort();
      }
    }
    await assert.rejects(
      disk.files.write('/b', Readable.from(endless()), anew, cancelling.signal),
      hasCode('cancelled'),
    );
    assert.deepEqual(await names('/'), ['a']);
    assert.equal(await get('/a'), 'old');
    assert.equal((await disk.files.usage('/')).allocated, before);
  });

  it('are listed in order, in pages that survive changes', async () => {
    await disk.files.mkdir('/d');
    for (const name of ['b', 'a', 'c', '.berth-tmp-0123456789abcdef', 'e']) {
      await put(`/d/${name}`, name);
    }
    const first = await disk.files.list('/d', { limit: 2 });
    assert.deepEqual([first.entries.map(({ name }) => name), first.total], [['a', 'b'], 4]);
    await put('/d/aa', '');
    const second = await disk.files.list('/d', { limit: 2, cursor: first.next! });
    assert.deepEqual([second.entries.map(({ name }) => name), second.next], [['c', 'e'], undefined]);
    await assert.rejects(disk.files.list('/d/a'), hasCode('not_a_directory'));
    await assert.rejects(disk.files.list('/none'), hasCode('path_not_found'));
  });

  it('follow links inside the volume only', async () => {
    const link = (name: string, linkname: string) =>
      [{ name, type: 'symlink', linkname }] as [{ name: string; type: 'symlink'; linkname: string }];
    await disk.put('/', [
      [{ name: 'd', type: 'directory' }],
      [{ name: 'd/f' }, 'inside'],
      link('relative', 'd/f'),
      link('absolute', '/home/workspace/d/f'),
      link('folder', '/workspace/d'),
      link('d/up', '../../..'),
      link('outside', '/etc/passwd'),
      link('etc', '/etc'),
      link('dangling', 'missing'),
      link('loop', 'loop'),
      link('long', `${'./'.repeat(100)}d/f`),
    ]);
    for (const path of ['/relative', '/absolute', '/folder/f', '/long']) {
      assert.equal(await get(path), 'inside', path);
    }
    for (const path of ['/outside', '/etc/passwd', '/d/up', '/d/up/etc/passwd']) {
      await assert.rejects(disk.files.read(path), hasCode('path_escapes'), path);
    }
    await assert.rejects(put('/etc/berth-test', 'x'), hasCode('path_escapes'));
    const types = (await disk.files.list('/')).entries.map(({ name, targetType }) => [name, targetType]);
    assert.deepEqual(Object.fromEntries(types), {
      d: undefined,
      relative: 'file',
      absolute: 'file',
      folder: 'directory',
      outside: 'outside',
      etc: 'outside',
      dangling: 'missing',
      loop: 'missing',
      long: 'file',
    });
    assert.equal((await disk.files.stat('/relative')).size, 6);
    assert.equal((await disk.files.stat('/outside')).linkTarget, '/etc/passwd');
    await put('/relative', 'through the link');
    assert.equal(await get('/d/f'), 'through the link');
    assert.equal((await disk.files.stat('/relative')).type, 'symlink');
  });

  it('have paths that lead nowhere else', async () => {
    await assert.rejects(disk.files.stat('/../etc'), hasCode('path_escapes'));
    await assert.rejects(disk.files.stat('a'), hasCode('bad_request'));
    await assert.rejects(disk.files.stat('/a\0b'), hasCode('bad_request'));
    await assert.rejects(disk.files.stat(`/${'x'.repeat(300)}`), hasCode('bad_request'));
    await assert.rejects(disk.files.remove('/', { recursive: true }), hasCode('bad_request'));
    await put('/f', '');
    await assert.rejects(disk.files.stat('/f/g'), hasCode('not_a_directory'));
  });

  it('carry any name there and back', async () => {
    const odd = [
      'new\nline',
      'tab\t"quote"',
      'ünï',
      '日本',
      '%2e',
      ' ',
      'back\\slash',
      '\u{1F600}',
      'x\uEFFF',
      '\u0001',
    ];
    for (const name of odd) {
      await put(`/${name}`, name);
    }
    await disk.access.close();
    assert.deepEqual([...(await names('/'))].sort(), [...odd].sort());
    for (const name of odd) {
      assert.equal(await get(`/${name}`), name);
    }
    await disk.files.rename('/x\uEFFF', '/y\uEFFE', { overwrite: false });
    await disk.access.close();
    assert.match(debugfs(disk.image, 'ls -p /'), /y\\?M?/);
  });

  it('are renamed, and replace nothing unless asked to', async () => {
    await put('/a', 'a');
    await put('/b', 'b');
    await assert.rejects(disk.files.rename('/a', '/b', { overwrite: false }), hasCode('path_exists'));
    await disk.files.rename('/a', '/b', { overwrite: true });
    assert.equal(await get('/b'), 'a');
    await disk.files.mkdir('/d/in', { parents: true });
    await disk.files.mkdir('/other');
    await assert.rejects(disk.files.rename('/d', '/d/in/d', { overwrite: false }), hasCode('bad_request'));
    await assert.rejects(disk.files.rename('/b', '/none/x', { overwrite: false }), hasCode('path_not_found'));
    await assert.rejects(disk.files.rename('/b', '/d', { overwrite: true }), hasCode('is_a_directory'));
    await assert.rejects(
      disk.files.rename('/other', '/d', { overwrite: true }),
      hasCode('directory_not_empty'),
    );
    await disk.files.rename('/d', '/other/d', { overwrite: false });
    assert.deepEqual(await names('/other/d'), ['in']);
  });

  it('are copied with modes, owners, times, links and holes', async () => {
    const mtime = new Date(1_000_000_000_000);
    await disk.put('/', [
      [{ name: 'd/sub', type: 'directory', uid: 3, gid: 4, mtime }],
      [{ name: 'd/sub/f', uid: 5, gid: 6, mode: 0o751, mtime }, Buffer.alloc(300_000, 'x')],
      [{ name: 'd/link', type: 'symlink', linkname: 'sub/f' }],
    ]);
    const seen: number[] = [];
    await put('/big', Buffer.alloc(5_000_000, 'y'));
    await disk.files.copy('/big', '/big2', { overwrite: false, progress: (bytes) => seen.push(bytes) });
    assert.ok((await bytesOf(await disk.files.read('/big2'))).equals(Buffer.alloc(5_000_000, 'y')));
    await disk.files.copy('/d', '/e', { overwrite: false });
    const copy = await disk.files.stat('/e/sub/f');
    assert.deepEqual(
      [copy.mode, copy.uid, copy.gid, copy.size, copy.mtimeMs],
      [0o751, 5, 6, 300_000, +mtime],
    );
    assert.equal((await disk.files.stat('/e/sub')).mtimeMs, +mtime);
    assert.equal((await disk.files.stat('/e/link')).linkTarget, 'sub/f');
    await assert.rejects(disk.files.copy('/d', '/e', { overwrite: false }), hasCode('path_exists'));
    await assert.rejects(disk.files.copy('/d', '/d/sub/x', { overwrite: false }), hasCode('bad_request'));
    await disk.files.copy('/big', '/e/sub/f', { overwrite: true });
    assert.deepEqual(await names('/'), ['big', 'big2', 'd', 'e']);
  });

  it('are removed in whole trees, and the room is there again', async () => {
    await put('/first', '');
    const before = (await disk.files.usage('/')).allocated;
    const members = Array.from(
      { length: 600 },
      (_, n) => [{ name: `d/${n % 7}/f${n}` }, `${n}`] as [{ name: string }, string],
    );
    await disk.put('/', members);
    await assert.rejects(disk.files.remove('/d', { recursive: false }), hasCode('directory_not_empty'));
    assert.equal((await disk.files.usage('/d')).files, 600);
    const gone: number[] = [];
    await disk.files.remove('/d', { recursive: true, progress: (names) => gone.push(names) });
    assert.equal(gone.at(-1), 608);
    await assert.rejects(disk.files.stat('/d'), hasCode('path_not_found'));
    assert.equal((await disk.files.usage('/')).allocated, before);
  });

  it('change their modes, and count once however many names they have', async () => {
    await disk.put('/', [
      [{ name: 'd/f' }, Buffer.alloc(10_000)],
      [{ name: 'd/same', type: 'link', linkname: 'd/f' }],
    ]);
    assert.equal((await disk.files.chmod('/d/f', 0o4755)).mode, 0o4755);
    assert.equal((await disk.files.stat('/d/same')).mode, 0o4755);
    const usage = await disk.files.usage('/d');
    assert.deepEqual([usage.files, usage.directories, usage.bytes], [2, 1, 20_000]);
    assert.ok(usage.allocated >= 10_000 && usage.allocated < 20_000);
    await disk.files.remove('/d/f', { recursive: false });
    assert.equal((await bytesOf(await disk.files.read('/d/same'))).length, 10_000);
  });

  it('say when the disk is full, and leave nothing of what did not fit', async () => {
    await put('/fits', Buffer.alloc(1_000_000));
    const large = (): Readable =>
      Readable.from(
        (function* () {
          for (let n = 0; n < 80; n++) {
            yield Buffer.alloc(1_000_000);
          }
        })(),
      );
    await assert.rejects(disk.files.write('/large', large(), over), hasCode('no_space'));
    await assert.rejects(disk.files.write('/fits', large(), over), hasCode('no_space'));
    assert.deepEqual(await names('/'), ['fits']);
    assert.equal((await disk.files.stat('/fits')).size, 1_000_000);
    await put('/again', Buffer.alloc(20_000_000));
  });

  it('stay readable to whoever has begun, also when they are replaced', async () => {
    const old = Buffer.alloc(6_000_000, 'o');
    await put('/f', old);
    const reading = await disk.files.read('/f');
    const parts: Buffer[] = [];
    for await (const part of reading) {
      if (parts.length === 0) {
        await put('/f', Buffer.alloc(6_000_000, 'n'));
        await put('/g', Buffer.alloc(6_000_000, 'g'));
      }
      parts.push(part as Buffer);
    }
    assert.ok(Buffer.concat(parts).equals(old));
  });
});
