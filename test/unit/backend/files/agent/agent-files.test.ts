import assert from 'node:assert/strict';
import {
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  chmodSync,
} from 'node:fs';
import { Readable } from 'node:stream';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode, textOf, TestVolume } from './harness';

const anew = { create: true, overwrite: false };
const over = { create: true, overwrite: true };

describe('files of a volume', function () {
  this.timeout(20_000);
  let volume: TestVolume;
  const at = (...path: string[]): string => join(volume.root, ...path);
  const get = async (path: string): Promise<string> => textOf(await volume.files.read(path));

  beforeEach(async () => {
    volume = await TestVolume.create();
  });
  afterEach(() => volume.dispose());

  it('writes, reads and tells about a file', async () => {
    const entry = await volume.files.write('/a.txt', Buffer.from('hello'), { ...anew, mode: 0o600 });
    assert.equal(entry.name, 'a.txt');
    assert.equal(entry.type, 'file');
    assert.equal(entry.size, 5);
    assert.equal(entry.mode, 0o600);
    assert.ok(Math.abs(entry.mtimeMs - statSync(at('a.txt')).mtimeMs) < 1);
    assert.equal(await get('/a.txt'), 'hello');
    assert.deepEqual(await volume.files.stat('//./a.txt'), entry);
  });

  it('does not list the folder that e2fsck wants at the root of a disk, while nothing is in it', async () => {
    const names = async (path: string) => (await volume.files.list(path)).entries.map(({ name }) => name);
    mkdirSync(at('sub', 'lost+found'), { recursive: true });
    mkdirSync(at('lost+found'));
    chownSync(at('lost+found'), 0, 0);
    assert.deepEqual(await names('/'), ['sub']);
    assert.deepEqual(await names('/sub'), ['lost+found']);
    chownSync(at('lost+found'), 1000, 1000);
    assert.deepEqual(await names('/'), ['lost+found', 'sub']);
    chownSync(at('lost+found'), 0, 0);
    writeFileSync(at('lost+found', '#12'), '');
    assert.deepEqual(await names('/'), ['lost+found', 'sub']);
  });

  it('reads a range, an empty file and past the end', async () => {
    writeFileSync(at('a'), '0123456789');
    writeFileSync(at('empty'), '');
    assert.equal(await textOf(await volume.files.read('/a', { offset: 3, length: 4 })), '3456');
    assert.equal(await textOf(await volume.files.read('/a', { offset: 8 })), '89');
    assert.equal(await textOf(await volume.files.read('/a', { offset: 50 })), '');
    assert.equal(await get('/empty'), '');
  });

  it('streams what is larger than one message both ways', async () => {
    const content = Buffer.alloc(5_000_001, 'abcdefghij');
    const entry = await volume.files.write(
      '/big',
      Readable.from([content.subarray(0, 70_000), content.subarray(70_000)]),
      anew,
    );
    assert.equal(entry.size, content.length);
    assert.equal(await get('/big'), content.toString());
    assert.equal(
      await textOf(await volume.files.read('/big', { offset: 4_000_000, length: 600_000 })),
      content.toString('utf8', 4_000_000, 4_600_000),
    );
    assert.equal(volume.held, 0);
  });

  it('leaves a read half way without keeping anything open', async () => {
    writeFileSync(at('big'), Buffer.alloc(4_000_000));
    for await (const part of await volume.files.read('/big')) {
      assert.ok(part);
      break;
    }
    const unread = await volume.files.read('/big');
    unread.destroy();
    await sleep(50);
    assert.equal(volume.held, 0);
  });

  it('honours create and overwrite', async () => {
    await assert.rejects(
      volume.files.write('/a', Buffer.from('x'), { create: false, overwrite: true }),
      hasCode('path_not_found'),
    );
    await volume.files.write('/a', Buffer.from('1'), anew);
    await assert.rejects(volume.files.write('/a', Buffer.from('2'), anew), hasCode('path_exists'));
    assert.equal(await get('/a'), '1');
    await volume.files.write('/a', Buffer.from('3'), over);
    assert.equal(await get('/a'), '3');
  });

  it('keeps mode and owner of a file that it replaces, and gives new ones to the owner of the folder', async () => {
    mkdirSync(at('home'));
    chownSync(at('home'), 1000, 1001);
    await volume.files.write('/home/new', Buffer.from('x'), anew);
    assert.deepEqual([statSync(at('home/new')).uid, statSync(at('home/new')).gid], [1000, 1001]);
    chownSync(at('home/new'), 7, 8);
    chmodSync(at('home/new'), 0o640);
    const entry = await volume.files.write('/home/new', Buffer.from('y'), over);
    assert.deepEqual([entry.uid, entry.gid, entry.mode], [7, 8, 0o640]);
    await volume.files.mkdir('/home/deep/er', { parents: true });
    assert.equal(statSync(at('home/deep/er')).uid, 1000);
  });

  it('changes nothing and leaves nothing when a write breaks off', async () => {
    writeFileSync(at('a'), 'old');
    async function* broken(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(2_000_000);
      await sleep(1);
      throw new Error('the sender is gone');
    }
    await assert.rejects(volume.files.write('/a', Readable.from(broken()), over), /sender is gone/);
    const cancelling = new AbortController();
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        yield Buffer.alloc(300_000);
        await sleep(5);
        cancelling.abort();
      }
    }
    await assert.rejects(
      volume.files.write('/b', Readable.from(endless()), anew, cancelling.signal),
      hasCode('cancelled'),
    );
    assert.deepEqual(readdirSync(volume.root), ['a']);
    assert.equal(readFileSync(at('a'), 'utf8'), 'old');
    assert.equal(volume.held, 0);
  });

  it('lists in order, in pages that survive changes', async () => {
    mkdirSync(at('d'));
    for (const name of ['b', 'a', 'c', '.berth-tmp-0123456789abcdef', 'e']) {
      writeFileSync(at('d', name), name);
    }
    const first = await volume.files.list('/d', { limit: 2 });
    assert.deepEqual(
      first.entries.map(({ name }) => name),
      ['a', 'b'],
    );
    assert.equal(first.total, 4);
    writeFileSync(at('d', 'aa'), '');
    const second = await volume.files.list('/d', { limit: 2, cursor: first.next! });
    assert.deepEqual(
      second.entries.map(({ name }) => name),
      ['c', 'e'],
    );
    assert.equal(second.next, undefined);
    await assert.rejects(volume.files.list('/d/a'), hasCode('not_a_directory'));
    await assert.rejects(volume.files.list('/none'), hasCode('path_not_found'));
  });

  it('lists 10,000 entries at once', async () => {
    mkdirSync(at('many'));
    for (let n = 0; n < 10_000; n++) {
      writeFileSync(at('many', `f${n}`), '');
    }
    const { entries, total } = await volume.files.list('/many');
    assert.equal(entries.length, 10_000);
    assert.equal(total, 10_000);
  });

  it('follows links inside the volume only', async () => {
    mkdirSync(at('d'));
    writeFileSync(at('d/f'), 'inside');
    symlinkSync('d/f', at('relative'));
    symlinkSync('/home/workspace/d/f', at('absolute'));
    symlinkSync('/workspace/d', at('folder'));
    symlinkSync('../../..', at('d/up'));
    symlinkSync('/etc/passwd', at('outside'));
    symlinkSync('/etc', at('etc'));
    symlinkSync('missing', at('dangling'));
    symlinkSync('loop', at('loop'));
    for (const path of ['/relative', '/absolute', '/folder/f']) {
      assert.equal(await get(path), 'inside', path);
    }
    for (const path of ['/outside', '/etc/passwd', '/d/up', '/d/up/etc/passwd']) {
      await assert.rejects(volume.files.read(path), hasCode('path_escapes'), path);
    }
    await assert.rejects(
      volume.files.write('/etc/berth-test', Buffer.from('x'), anew),
      hasCode('path_escapes'),
    );
    await assert.rejects(volume.files.list('/etc'), hasCode('path_escapes'));
    const types = Object.fromEntries(
      (await volume.files.list('/')).entries.map((entry) => [entry.name, entry.targetType]),
    );
    assert.deepEqual(types, {
      d: undefined,
      relative: 'file',
      absolute: 'file',
      folder: 'directory',
      outside: 'outside',
      etc: 'outside',
      dangling: 'missing',
      loop: 'missing',
    });
    const stat = await volume.files.stat('/outside');
    assert.equal(stat.type, 'symlink');
    assert.equal(stat.linkTarget, '/etc/passwd');
    assert.equal((await volume.files.stat('/relative')).size, 6);
  });

  it('writes through a link to its target, and replaces the target only', async () => {
    writeFileSync(at('target'), 'old');
    symlinkSync('target', at('link'));
    await volume.files.write('/link', Buffer.from('new'), over);
    assert.equal(readFileSync(at('target'), 'utf8'), 'new');
    assert.equal((await volume.files.stat('/link')).type, 'symlink');
  });

  it('refuses paths that lead out or are none', async () => {
    await assert.rejects(volume.files.stat('/../etc'), hasCode('path_escapes'));
    await assert.rejects(volume.files.stat('/a/../../etc'), hasCode('path_escapes'));
    await assert.rejects(volume.files.stat('a'), hasCode('bad_request'));
    await assert.rejects(volume.files.stat('/a\0b'), hasCode('bad_request'));
    await assert.rejects(volume.files.remove('/', { recursive: true }), hasCode('bad_request'));
    await assert.rejects(volume.files.stat(`/${'x'.repeat(300)}`), hasCode('bad_request'));
  });

  it('does not wait for a pipe, nor open a device', async () => {
    const { execFileSync } = await import('node:child_process');
    execFileSync('mkfifo', [at('pipe')]);
    await assert.rejects(volume.files.read('/pipe'), hasCode('bad_request'));
    assert.equal((await volume.files.stat('/pipe')).type, 'other');
  });

  it('carries any name there and back', async () => {
    const names = [
      'new\nline',
      'tab\t"quote"',
      'ünï',
      '日本',
      '%2e',
      ' ',
      'back\\slash',
      '\u{1F600}',
      '\uEF81',
    ];
    for (const name of names) {
      writeFileSync(at(name), name);
    }
    writeFileSync(Buffer.concat([Buffer.from(`${volume.root}/`), Buffer.from([0x66, 0xff, 0xfe])]), 'bytes');
    const { entries } = await volume.files.list('/');
    assert.equal(entries.length, names.length + 1);
    for (const { name } of entries) {
      assert.doesNotThrow(() => encodeURIComponent(name));
      const text = await get(`/${name}`);
      assert.ok(text === name || text === 'bytes' || name.includes('\uEFEE'), JSON.stringify(name));
    }
    await volume.files.rename('/f\uEFFF\uEFFE', '/g\uEFFF', { overwrite: false });
    assert.ok(
      readdirSync(volume.root, { encoding: 'buffer' }).some((name) => name.equals(Buffer.from([0x67, 0xff]))),
    );
  });

  it('renames without ever replacing unless asked to', async () => {
    writeFileSync(at('a'), 'a');
    writeFileSync(at('b'), 'b');
    await assert.rejects(volume.files.rename('/a', '/b', { overwrite: false }), hasCode('path_exists'));
    await volume.files.rename('/a', '/b', { overwrite: true });
    assert.equal(readFileSync(at('b'), 'utf8'), 'a');
    mkdirSync(at('d/in'), { recursive: true });
    await assert.rejects(volume.files.rename('/d', '/d/in/d', { overwrite: false }), hasCode('bad_request'));
    await assert.rejects(volume.files.rename('/none', '/x', { overwrite: false }), hasCode('path_not_found'));
    await assert.rejects(
      volume.files.rename('/b', '/none/x', { overwrite: false }),
      hasCode('path_not_found'),
    );
  });

  it('lets only one of many win the same new name', async () => {
    for (let n = 0; n < 20; n++) {
      writeFileSync(at(`from${n}`), `${n}`);
    }
    const moves = Array.from({ length: 20 }, (_, n) =>
      volume.files.rename(`/from${n}`, '/to', { overwrite: false }),
    );
    const writes = Array.from({ length: 20 }, () => volume.files.write('/once', Buffer.from('x'), anew));
    const won = (results: PromiseSettledResult<unknown>[]) =>
      results.filter(({ status }) => status === 'fulfilled').length;
    assert.equal(won(await Promise.allSettled(moves)), 1);
    assert.equal(won(await Promise.allSettled(writes)), 1);
    assert.equal(readdirSync(volume.root).length, 19 + 2);
  });

  it('copies files and trees with modes, owners, times and links', async () => {
    mkdirSync(at('d/sub'), { recursive: true });
    writeFileSync(at('d/sub/f'), Buffer.alloc(300_000, 'x'), { mode: 0o751 });
    chownSync(at('d/sub/f'), 5, 6);
    symlinkSync('sub/f', at('d/link'));
    await volume.files.copy('/d', '/e', { overwrite: false });
    const [from, to] = [statSync(at('d/sub/f')), statSync(at('e/sub/f'))];
    assert.deepEqual(
      [to.mode, to.uid, to.gid, to.size, Math.round(to.mtimeMs)],
      [from.mode, 5, 6, 300_000, Math.round(from.mtimeMs)],
    );
    assert.equal((await volume.files.stat('/e/link')).linkTarget, 'sub/f');
    await assert.rejects(volume.files.copy('/d', '/e', { overwrite: false }), hasCode('path_exists'));
    await assert.rejects(volume.files.copy('/d', '/d/sub/x', { overwrite: false }), hasCode('bad_request'));
    await volume.files.copy('/d/sub/f', '/e/sub/f', { overwrite: true });
    assert.deepEqual(readdirSync(volume.root).sort(), ['d', 'e']);
  });

  it('removes trees without following a link', async () => {
    const outside = await TestVolume.create('outside');
    try {
      writeFileSync(join(outside.root, 'precious'), 'x');
      mkdirSync(at('d/e'), { recursive: true });
      symlinkSync(outside.root, at('d/e/link'));
      await assert.rejects(volume.files.remove('/d', { recursive: false }), hasCode('directory_not_empty'));
      const gone: number[] = [];
      await volume.files.remove('/d', { recursive: true, progress: (names) => gone.push(names) });
      assert.equal(gone.at(-1), 3);
      assert.ok(!existsSync(at('d')));
      assert.ok(existsSync(join(outside.root, 'precious')));
    } finally {
      await outside.dispose();
    }
  });

  it('changes modes, and counts what is used', async () => {
    mkdirSync(at('d'));
    writeFileSync(at('d/f'), Buffer.alloc(10_000));
    linkSync(at('d/f'), at('d/same'));
    assert.equal((await volume.files.chmod('/d/f', 0o4755)).mode, 0o4755);
    const usage = await volume.files.usage('/d');
    assert.deepEqual([usage.files, usage.directories, usage.bytes], [2, 1, 20_000]);
    assert.ok(usage.allocated >= 10_000 && usage.allocated < 30_000);
  });

  it('is never led out by a folder that turns into a link and back', async () => {
    const outside = await TestVolume.create('outside');
    const { renameSync } = await import('node:fs');
    try {
      writeFileSync(join(outside.root, 'f'), 'outside');
      mkdirSync(at('real'));
      writeFileSync(at('real/f'), 'inside');
      symlinkSync(outside.root, at('evil'));
      const tries = Array.from({ length: 300 }, async () => {
        const text = await get('/real/f').catch(() => '');
        assert.notEqual(text, 'outside');
      });
      for (let n = 0; n < 150; n++) {
        renameSync(at('real'), at('aside'));
        renameSync(at('evil'), at('real'));
        await new Promise(setImmediate);
        renameSync(at('real'), at('evil'));
        renameSync(at('aside'), at('real'));
        await new Promise(setImmediate);
      }
      await Promise.all(tries);
    } finally {
      await outside.dispose();
    }
  });

  it('opens a new agent for what may be done twice, and says so for what may not', async () => {
    writeFileSync(at('a'), 'x');
    assert.equal((await volume.files.stat('/a')).size, 1);
    const channel = await volume.channel();
    const list = volume.files.list('/');
    await volume.kill();
    assert.equal((await list).total, 1);
    assert.equal(channel.isOpen, false);
    assert.equal(volume.started, 2);
    const removal = volume.files.remove('/none', { recursive: true });
    await volume.kill();
    await assert.rejects(
      removal,
      (error) => hasCode('runtime_unavailable')(error) || hasCode('path_not_found')(error),
    );
    assert.equal(await get('/a'), 'x');
  });
});
