import assert from 'node:assert/strict';
import { failure } from '../../errors';
import { Case, type Member, type Rooms } from './room';

const link = (name: string, linkname: string): Member => [{ name, type: 'symlink', linkname }];

/** Defines the cases of paths, links and lists. */
export function nameCases(rooms: Rooms): void {
  const at = new Case(rooms);

  it('lists in order, in pages that survive changes', async () => {
    await at.files.mkdir('/d');
    for (const name of ['b', 'a', 'c', '.berth-tmp-0123456789abcdef', 'e']) {
      await at.save(`/d/${name}`, name);
    }
    const first = await at.files.list('/d', { limit: 2 });
    assert.deepEqual([first.entries.map(({ name }) => name), first.total], [['a', 'b'], 4]);
    await at.save('/d/aa', '');
    const second = await at.files.list('/d', { limit: 2, cursor: first.next! });
    assert.deepEqual([second.entries.map(({ name }) => name), second.next], [['c', 'e'], undefined]);
    await failure(at.files.list('/d/a'), 'not_a_directory');
    await failure(at.files.list('/none'), 'path_not_found');
  });

  it('lists thousands of entries at once', async () => {
    const members = Array.from({ length: 3000 }, (_, n): Member => [{ name: `many/f${n}` }]);
    await at.put('/', members);
    const { entries, total } = await at.files.list('/many');
    assert.deepEqual([entries.length, total], [3000, 3000]);
  });

  it('hides the folder that e2fsck wants at the root, while nothing is in it', async function () {
    at.needsOwners(this);
    const lost = (uid: number): Promise<void> =>
      at.put('/', [[{ name: 'lost+found', type: 'directory', uid, gid: uid }]]);
    await at.files.mkdir('/sub/lost+found', { parents: true });
    await lost(0);
    assert.deepEqual([await at.names(), (await at.files.list('/')).total], [['sub'], 1]);
    assert.deepEqual(await at.names('/sub'), ['lost+found']);
    await at.save('/lost+found/#12', 'found');
    assert.deepEqual(await at.names(), ['lost+found', 'sub']);
    await at.files.remove('/lost+found', { recursive: true });
    await lost(1000);
    assert.deepEqual(await at.names(), ['lost+found', 'sub']);
    await at.files.remove('/lost+found', { recursive: true });
  });

  it('follows links inside the volume only', async () => {
    await at.put('/', [
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
      assert.equal(await at.text(path), 'inside', path);
    }
    for (const path of ['/outside', '/etc/passwd', '/d/up', '/d/up/etc/passwd']) {
      await failure(at.files.read(path), 'path_escapes');
    }
    await failure(at.save('/etc/berth-test', 'x'), 'path_escapes');
    await failure(at.files.list('/etc'), 'path_escapes');
    await failure(at.files.mkdir('/etc/berth-test'), 'path_escapes');
    await failure(at.files.read('/loop'), 'path_not_found');
    await failure(at.files.read('/dangling'), 'path_not_found');
    const types = (await at.files.list('/')).entries.map(({ name, targetType }) => [name, targetType]);
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
    const [outside, relative] = [await at.files.stat('/outside'), await at.files.stat('/relative')];
    assert.deepEqual([outside.type, outside.linkTarget, relative.size], ['symlink', '/etc/passwd', 6]);
  });

  it('refuses paths that lead out, or can be none', async () => {
    await at.save('/f', '');
    await failure(at.files.stat('/../etc'), 'path_escapes');
    await failure(at.files.stat('/a/../../etc'), 'path_escapes');
    await failure(at.files.stat('a'), 'bad_request');
    await failure(at.files.stat('/a\0b'), 'bad_request');
    await failure(at.files.stat('/none/x'), 'path_not_found');
    await failure(at.files.stat('/f/g'), 'not_a_directory');
    await failure(at.save('/f/g', 'x'), 'not_a_directory');
    await failure(at.files.mkdir('/f/g', { parents: true }), 'not_a_directory');
    await failure(at.files.remove('/', { recursive: true }), 'bad_request');
  });

  it('refuses names and paths that are too long for Linux, whatever is to be done', async () => {
    await at.save('/f', '');
    // Bytes count, not characters.
    const longest = ['x'.repeat(255), `${'ü'.repeat(127)}x`];
    for (const name of longest) {
      await at.save(`/${name}`, 'long');
      assert.equal(await at.text(`/${name}`), 'long');
    }
    for (const name of ['x'.repeat(256), 'ü'.repeat(128)]) {
      const { message } = await failure(at.files.stat(`/${name}`), 'bad_request');
      assert.match(message, /\(a name in it is too long\)/);
      await failure(at.files.stat(`/${name}/below`), 'bad_request');
      await failure(at.save(`/${name}`, 'x'), 'bad_request');
      await failure(at.files.mkdir(`/${name}`), 'bad_request');
      await failure(at.files.mkdir(`/${name}/below`, { parents: true }), 'bad_request');
      await failure(at.files.rename('/f', `/${name}`, { overwrite: false }), 'bad_request');
      await failure(at.files.copy('/f', `/${name}`, { overwrite: true }), 'bad_request');
    }
    const deep = (length: number, letter: string): string => `/${letter}`.repeat(length);
    await failure(at.ask('stat', { path: deep(2048, 'x') }), 'path_not_found');
    await failure(at.ask('stat', { path: deep(2100, 'x') }), 'bad_request');
    await failure(at.ask('stat', { path: deep(1400, 'ü') }), 'bad_request');
    assert.deepEqual(await at.names(), ['f', ...longest].sort());
  });

  it('carries any name there and back', async () => {
    const odd = [
      'new\nline',
      'tab\t"quote"',
      'ünï',
      '日本',
      '%2e',
      ' ',
      'back\\slash',
      '\u{1F600}',
      '\u0001',
    ];
    const escaped = ['f\uEFFF\uEFFE', '\uEF81'];
    for (const name of [...odd, ...escaped]) {
      await at.save(`/${name}`, name);
    }
    await at.room.restart();
    const names = await at.names();
    assert.deepEqual([...names].sort(), [...odd, ...escaped].sort());
    for (const name of names) {
      assert.doesNotThrow(() => encodeURIComponent(name));
      assert.equal(await at.text(`/${name}`), name);
    }
    await at.files.rename('/f\uEFFF\uEFFE', '/g\uEFFF', { overwrite: false });
    assert.ok((await at.names()).includes('g\uEFFF'));
    await failure(at.ask('stat', { path: '/half \ud800 of a pair' }), 'bad_request');
  });

  it('answers a path without links', async () => {
    await at.files.mkdir('/d/e', { parents: true });
    await at.put('/', [link('to', 'd'), link('d/e/last', '../..')]);
    assert.deepEqual(await at.ask('real', { path: '/to/e' }), { real: '/d/e', directory: true });
    assert.deepEqual(await at.ask('real', { path: '/to/e/last' }), {
      real: '/d/e/last',
      directory: false,
    });
    assert.deepEqual(await at.ask('real', { path: '/' }), { real: '/', directory: true });
    await failure(at.ask('real', { path: '/none' }), 'path_not_found');
    const root = await at.files.stat('/');
    assert.deepEqual([root.name, root.type], ['', 'directory']);
  });
}
