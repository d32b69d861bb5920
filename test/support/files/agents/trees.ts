import assert from 'node:assert/strict';
import { failure } from '../../errors';
import { skipWithout } from '../../skip';
import { bytesOf, Case, type Member, type Rooms } from './room';

/** Defines the cases of folders and whole trees: making, renaming, copying, removing, counting. */
export function treeCases(rooms: Rooms): void {
  const at = new Case(rooms);

  it('makes folders, with those around them when asked to', async () => {
    assert.equal((await at.files.mkdir('/d')).type, 'directory');
    await failure(at.files.mkdir('/d'), 'path_exists');
    await failure(at.files.mkdir('/'), 'path_exists');
    await failure(at.files.mkdir('/none/e'), 'path_not_found');
    await at.files.mkdir('/d/e/f', { parents: true });
    await at.files.mkdir('/d/e/f', { parents: true });
    await at.save('/d/file', '');
    await failure(at.files.mkdir('/d/file', { parents: true }), 'path_exists');
    assert.deepEqual(await at.names('/d/e'), ['f']);
  });

  it('renames, and replaces nothing unless asked to', async () => {
    await at.save('/a', 'a');
    await at.save('/b', 'b');
    await failure(at.files.rename('/a', '/b', { overwrite: false }), 'path_exists');
    await at.files.rename('/a', '/b', { overwrite: true });
    assert.deepEqual([await at.text('/b'), await at.names()], ['a', ['b']]);
    await at.files.mkdir('/d/in', { parents: true });
    await at.files.mkdir('/other');
    for (const overwrite of [false, true]) {
      await failure(at.files.rename('/d', '/d/in/d', { overwrite }), 'bad_request');
      await failure(at.files.rename('/none', '/x', { overwrite }), 'path_not_found');
      await failure(at.files.rename('/b', '/none/x', { overwrite }), 'path_not_found');
      await failure(at.files.rename('/', '/x', { overwrite }), 'bad_request');
      await failure(at.files.rename('/b', '/', { overwrite }), 'bad_request');
    }
    await failure(at.files.rename('/b', '/d', { overwrite: true }), 'is_a_directory');
    await failure(at.files.rename('/d', '/b', { overwrite: true }), 'not_a_directory');
    await failure(at.files.rename('/other', '/d', { overwrite: true }), 'directory_not_empty');
    await at.files.rename('/d', '/other/d', { overwrite: false });
    assert.deepEqual(await at.names('/other/d'), ['in']);
  });

  it('renames as mv does where both names are of one file', async () => {
    await at.put('/', [
      [{ name: 'a' }, 'text'],
      [{ name: 'd/b', type: 'link', linkname: 'a' }],
      [{ name: 'l', type: 'symlink', linkname: 'd' }],
    ]);
    await failure(at.files.rename('/a', '/d/b', { overwrite: false }), 'path_exists');
    assert.deepEqual([await at.names(), await at.names('/d')], [['a', 'd', 'l'], ['b']]);
    await at.files.rename('/a', '/d/b', { overwrite: true });
    assert.deepEqual([await at.names(), await at.names('/d')], [['d', 'l'], ['b']]);
    assert.deepEqual([await at.text('/d/b'), (await at.files.usage('/')).files], ['text', 2]);
    for (const overwrite of [false, true]) {
      for (const [from, to] of [
        ['/d/b', '/d/b'],
        ['/d/b', '/l/b'],
        ['/d', '/d'],
      ] as const) {
        const { message } = await failure(at.files.rename(from, to, { overwrite }), 'bad_request');
        assert.match(message, /source and target are the same file/);
      }
    }
    assert.equal(await at.text('/d/b'), 'text');
  });

  it('lets only one of many renames have a name', async () => {
    const count = 20;
    for (let n = 0; n < count; n++) {
      await at.save(`/from${n}`, `${n}`);
    }
    const moves = Array.from({ length: count }, (_, n) =>
      at.files.rename(`/from${n}`, '/to', { overwrite: false }),
    );
    const results = await Promise.allSettled(moves);
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    assert.equal((await at.names()).length, count);
  });

  it('renames a link itself, and replaces one, not what it leads to', async () => {
    await at.put('/', [[{ name: 'f' }, 'target'], [{ name: 'l', type: 'symlink', linkname: 'f' }]]);
    await at.files.rename('/l', '/m', { overwrite: false });
    assert.equal((await at.files.stat('/m')).linkTarget, 'f');
    await at.save('/g', 'other');
    await at.files.rename('/g', '/m', { overwrite: true });
    assert.deepEqual([await at.text('/f'), await at.text('/m')], ['target', 'other']);
  });

  it('copies files and trees with modes, owners, times, links, names, attributes and holes', async function () {
    at.needsOwners(this);
    const mtime = new Date(1_000_000_000_000);
    await at.put('/', [
      [{ name: 'd/sub', type: 'directory', uid: 3, gid: 4, mtime }],
      [{ name: 'd/sub/f', uid: 5, gid: 6, mode: 0o751, mtime }, Buffer.alloc(300_000, 'x')],
      [{ name: 'd/sub/same', type: 'link', linkname: 'd/sub/f' }],
      [{ name: 'd/link', type: 'symlink', linkname: 'sub/f' }],
      [{ name: 'd/pipe', type: 'fifo' }],
      [{ name: 'd/set', mode: 0o6755 }, 'rights'],
    ]);
    await at.room.setAttribute('/d/sub/f', 'user.note', 'kept');
    const [unread, lost]: [string[], string[]] = [[], []];
    await at.files.copy('/d', '/e', {
      overwrite: false,
      unread: (path) => unread.push(path),
      lost: ({ what, count }) => lost.push(`${what} ${count}`),
    });
    const copy = await at.files.stat('/e/sub/f');
    assert.deepEqual(
      [copy.mode, copy.uid, copy.gid, copy.size, copy.mtimeMs],
      [0o751, 5, 6, 300_000, +mtime],
    );
    assert.equal((await at.files.stat('/e/sub')).mtimeMs, +mtime);
    assert.equal((await at.files.stat('/e/link')).linkTarget, 'sub/f');
    assert.ok((await at.files.usage('/e/sub')).allocated < 400_000, 'two names of one file');
    const tar = (await bytesOf(await at.files.getTar('/e/sub/f'))).toString('latin1');
    assert.match(tar, /SCHILY\.xattr\.user\.note=kept\n/);
    assert.equal((await at.files.stat('/e/set')).mode, 0o755);
    assert.deepEqual([unread, lost], [['/d/pipe'], ['set-user-ID and set-group-ID bits 1']]);
  });

  it('copies over what is there when asked to, and nothing into itself', async () => {
    await at.save('/big', Buffer.alloc(5_000_000, 'y'));
    await at.files.mkdir('/e/in', { parents: true });
    await at.save('/e/f', 'old');
    const seen: number[] = [];
    await at.files.copy('/big', '/big2', { overwrite: false, progress: (bytes) => seen.push(bytes) });
    assert.ok((await bytesOf(await at.files.read('/big2'))).equals(Buffer.alloc(5_000_000, 'y')));
    await failure(at.files.copy('/big', '/e/f', { overwrite: false }), 'path_exists');
    await at.files.copy('/big', '/e/f', { overwrite: true });
    assert.equal((await at.files.stat('/e/f')).size, 5_000_000);
    await failure(at.files.copy('/e', '/e/in/x', { overwrite: false }), 'bad_request');
    await failure(at.files.copy('/e', '/', { overwrite: true }), 'bad_request');
    await failure(at.files.copy('/none', '/x', { overwrite: true }), 'path_not_found');
    await failure(at.files.copy('/big', '/none/x', { overwrite: true }), 'path_not_found');
    await failure(at.files.copy('/big', '/e', { overwrite: true }), 'is_a_directory');
    await failure(at.files.copy('/e', '/big', { overwrite: true }), 'not_a_directory');
    await at.files.copy('/big', '/big', { overwrite: true });
    assert.equal((await at.files.stat('/big')).size, 5_000_000);
  });

  it('leaves nothing of a copy that was cancelled', async () => {
    await at.save('/big', Buffer.alloc(40_000_000, 'y'));
    const before = (await at.files.usage('/')).allocated;
    const cancelling = new AbortController();
    const copying = at.files.copy('/big', '/copy', { overwrite: false }, cancelling.signal);
    setTimeout(() => cancelling.abort(), 1);
    await failure(copying, 'cancelled');
    assert.deepEqual(await at.names(), ['big']);
    assert.equal((await at.files.usage('/')).allocated, before);
  });

  it('removes files, empty folders, and whole trees with their room', async () => {
    await at.save('/first', '');
    const before = (await at.files.usage('/')).allocated;
    const members = Array.from({ length: 600 }, (_, n): Member => [{ name: `d/${n % 7}/f${n}` }, `${n}`]);
    await at.put('/', members);
    await failure(at.files.remove('/d', { recursive: false }), 'directory_not_empty');
    await failure(at.files.remove('/none', { recursive: true }), 'path_not_found');
    await failure(at.files.remove('/', { recursive: true }), 'bad_request');
    assert.equal((await at.files.usage('/d')).files, 600);
    const gone: number[] = [];
    await at.files.remove('/d', { recursive: true, progress: (names) => gone.push(names) });
    assert.equal(gone.at(-1), 608);
    await failure(at.files.stat('/d'), 'path_not_found');
    await at.files.mkdir('/empty');
    await at.files.remove('/empty', { recursive: false });
    await at.files.remove('/first', { recursive: true });
    assert.deepEqual(await at.names(), []);
    assert.ok((await at.files.usage('/')).allocated <= before);
  });

  it('removes a link itself, never what it leads to', async () => {
    await at.put('/', [
      [{ name: 'precious/f' }, 'x'],
      [{ name: 'd/link', type: 'symlink', linkname: '../precious' }],
      [{ name: 'top', type: 'symlink', linkname: 'precious' }],
    ]);
    await at.files.remove('/d', { recursive: true });
    await at.files.remove('/top', { recursive: true });
    assert.equal(await at.text('/precious/f'), 'x');
  });

  it('changes modes, and counts a file once however many names it has', async () => {
    await at.put('/', [
      [{ name: 'd/f' }, Buffer.alloc(10_000)],
      [{ name: 'd/same', type: 'link', linkname: 'd/f' }],
      [{ name: 'to', type: 'symlink', linkname: 'd/f' }],
    ]);
    assert.equal((await at.files.chmod('/d/f', 0o4755)).mode, 0o4755);
    assert.equal((await at.files.stat('/d/same')).mode, 0o4755);
    await at.files.chmod('/to', 0o600);
    assert.equal((await at.files.stat('/d/f')).mode, 0o600);
    await failure(at.files.chmod('/none', 0o600), 'path_not_found');
    const usage = await at.files.usage('/d');
    assert.deepEqual([usage.files, usage.directories, usage.bytes], [2, 1, 20_000]);
    assert.ok(usage.allocated >= 10_000 && usage.allocated < 30_000);
    await at.files.remove('/d/f', { recursive: false });
    assert.equal((await bytesOf(await at.files.read('/d/same'))).length, 10_000);
    await failure(at.files.usage('/none'), 'path_not_found');
  });

  it('replaces no device, whatever is asked for; one can be renamed and removed', async function () {
    await at.files.mkdir('/t');
    if (!(await at.room.makeDevice('/t/null'))) {
      skipWithout(this, 'devices are made by root alone');
    }
    await at.save('/f', 'text');
    await at.files.mkdir('/d');
    const { failed, files } = await at.files.merge(
      await at.stage([[{ name: 'null' }, 'x']]),
      '/t',
      'overwrite',
    );
    assert.deepEqual([failed.map(({ path }) => path), files], [['/null'], 0]);
    const stage = await at.stage([[{ name: 'null', type: 'symlink', linkname: 'x' }]]);
    assert.equal((await at.files.merge(stage, '/t', 'overwrite')).failed.length, 1);
    for (const from of ['/f', '/d']) {
      await failure(at.files.copy(from, '/t/null', { overwrite: true }), 'not_supported');
      await failure(at.files.rename(from, '/t/null', { overwrite: true }), 'not_supported');
    }
    await failure(at.files.rename('/f', '/t/null', { overwrite: false }), 'path_exists');
    await failure(
      at.files.write('/t/null', Buffer.from('x'), { create: true, overwrite: true }),
      'bad_request',
    );
    assert.equal((await at.files.stat('/t/null')).type, 'other');
    await at.files.rename('/t/null', '/t/zero', { overwrite: false });
    const unread: string[] = [];
    await at.files.copy('/t', '/u', { overwrite: false, unread: (path) => unread.push(path) });
    assert.deepEqual([unread, await at.names('/u')], [['/t/zero'], []]);
    await failure(at.files.copy('/t/zero', '/v', { overwrite: false }), 'not_supported');
    await at.files.remove('/t/zero', { recursive: false });
    assert.deepEqual(await at.names('/t'), []);
  });
}
