import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { Readable } from 'node:stream';
import { failure } from '../../errors';
import { bytesOf, Case, type Member, type Rooms, tarOf } from './room';

const fresh: Member[] = [
  [{ name: 'a.txt', uid: 1, gid: 1 }, 'new'],
  [{ name: 'd/b' }, 'new'],
  [{ name: 'd/c' }, 'new'],
];

const listed = (tar: Buffer): string =>
  execFileSync('tar', ['-tv', '--numeric-owner'], { input: tar }).toString();

/** Defines the cases of stages, tars and merges. */
export function uploadCases(rooms: Rooms): void {
  const at = new Case(rooms);

  beforeEach(async () => {
    await at.put('/', [
      [{ name: 't/a.txt', uid: 12, gid: 13, mode: 0o751 }, 'old'],
      [{ name: 't/d/b' }, 'old'],
    ]);
  });

  it('hides a stage, lets no other into it, and lets go of it', async () => {
    const stage = await at.stage(fresh);
    assert.deepEqual(await at.names(), ['t']);
    assert.equal((await at.files.usage('/')).files, 2);
    assert.equal((await at.files.stat(stage)).mode, 0o700);
    await at.files.unstage(stage);
    await failure(at.files.stat(stage), 'path_not_found');
    await at.files.unstage(stage);
    await failure(at.files.merge(stage, '/t', 'overwrite'), 'gone');
    await failure(at.files.merge('/t', '/', 'overwrite'), 'gone');
    await failure(at.ask('unstage', { stage: '/t/d' }), 'gone');
  });

  it('overwrites files, merges folders, keeps mode and owner of what it replaces', async function () {
    at.needsOwners(this);
    const result = await at.files.merge(await at.stage(fresh), '/t', 'overwrite');
    assert.deepEqual(result, { files: 3, skipped: [], renamed: [], failed: [] });
    assert.equal((await at.text('/t/a.txt')) + (await at.text('/t/d/b')), 'newnew');
    const { mode, uid, gid } = await at.files.stat('/t/a.txt');
    assert.deepEqual([mode, uid, gid], [0o751, 12, 13]);
    assert.deepEqual(await at.names(), ['t']);
  });

  it('gives the folder what the archive says of itself, when it is to be dressed', async function () {
    at.needsOwners(this);
    const root: Member = [{ name: './', type: 'directory', uid: 21, gid: 22, mode: 0o2750 }, ''];
    await at.files.merge(await at.stage([root, ...fresh]), '/t', 'overwrite');
    const plain = await at.files.stat('/t');
    assert.notEqual(plain.uid, 21);
    await at.files.merge(await at.stage([root, ...fresh]), '/t', 'overwrite', { dressed: true });
    const { uid, gid, mode } = await at.files.stat('/t');
    assert.deepEqual([uid, gid, mode & 0o777], [21, 22, 0o750]);
    assert.deepEqual(await at.names(), ['t']);
  });

  it('skips, renames what is at the top as a whole, or fails at the first thing in the way', async () => {
    const skipped = await at.files.merge(await at.stage(fresh), '/t', 'skip');
    assert.deepEqual(skipped, { files: 1, skipped: ['/a.txt', '/d/b'], renamed: [], failed: [] });
    assert.equal(await at.text('/t/a.txt'), 'old');
    await at.save('/t/a (2).txt', 'also there');
    await at.save('/t/.rc', '');
    const stage = await at.stage([...fresh, [{ name: '.rc' }, 'new']]);
    const renamed = await at.files.merge(stage, '/t', 'rename');
    assert.deepEqual(renamed.renamed, [
      { from: '/.rc', to: '/.rc (2)' },
      { from: '/a.txt', to: '/a (3).txt' },
      { from: '/d', to: '/d (2)' },
    ]);
    assert.deepEqual([renamed.files, await at.names('/t/d (2)')], [4, ['b', 'c']]);
    const error = await failure(at.files.merge(await at.stage(fresh), '/t', 'fail'), 'path_exists');
    assert.match(error.message, /a\.txt/);
    assert.deepEqual(await at.names(), ['t']);
  });

  it('reports a name that would become too long, and moves the rest', async () => {
    const long = 'x'.repeat(255);
    await at.save(`/t/${long}`, 'old');
    const stage = await at.stage([[{ name: long }, 'new'], ...fresh]);
    const { failed, files, renamed } = await at.files.merge(stage, '/t', 'rename');
    assert.deepEqual([failed.map(({ path }) => path), files], [[`/${long}`], 3]);
    assert.equal(renamed.length, 2);
    assert.equal(await at.text(`/t/${long}`), 'old');
  });

  it('needs a folder that is there', async () => {
    await failure(at.files.merge(await at.stage(fresh), '/none', 'overwrite'), 'path_not_found');
    await failure(at.files.merge(await at.stage(fresh), '/t/a.txt', 'overwrite'), 'not_a_directory');
    assert.deepEqual(await at.names(), ['t']);
  });

  it('neither replaces a folder by a file nor the other way round, nor goes through a link', async () => {
    await at.put('/t', [[{ name: 'link', type: 'symlink', linkname: '/etc' }]]);
    const stage = await at.stage([
      [{ name: 'd' }, 'a file'],
      [{ name: 'a.txt/x' }, 'in a folder'],
      [{ name: 'link/x' }, 'through a link'],
    ]);
    const { failed, files } = await at.files.merge(stage, '/t', 'overwrite');
    assert.deepEqual([failed.map(({ path }) => path), files], [['/a.txt', '/d', '/link'], 0]);
  });

  it('hands out what it was given: names, sizes, modes, times, owners, links, pipes', async function () {
    at.needsOwners(this);
    const mtime = new Date(1_234_567_890_000);
    const long = 'n'.repeat(150);
    await at.put('/', [
      [{ name: 'x', type: 'directory', mode: 0o755 }],
      [{ name: 'x/bare', type: 'directory', mode: 0o2770, mtime }],
      [{ name: 'x/big', mode: 0o600, mtime }, Buffer.alloc(3_000_001, 'b')],
      [{ name: 'x/link', type: 'symlink', linkname: '/etc/passwd', mtime }],
      [{ name: 'x/pipe', type: 'fifo', mode: 0o640, mtime }],
      [{ name: `x/${long}`, uid: 1000, gid: 1001, mode: 0o4751, mtime }, 'long'],
      [{ name: 'x/same', type: 'link', linkname: 'x/big' }],
    ]);
    const tar = await bytesOf(await at.files.getTar('/x'));
    const lines = listed(tar).trim().split('\n');
    const has = (pattern: RegExp): void =>
      assert.ok(
        lines.some((line) => pattern.test(line)),
        `${pattern}: ${lines.join()}`,
      );
    assert.equal(lines.length, 7);
    has(/^drwxrws--- .* 2009-02-13 .* x\/bare\/$/);
    has(/^[-h]rw------- 0\/0 +\d+ .* x\/(big|same)( link to .*)?$/);
    has(/^h.* x\/(same link to x\/big|big link to x\/same)$/);
    has(/^l.* x\/link -> \/etc\/passwd$/);
    has(/^prw-r----- .* x\/pipe$/);
    has(/^-rwsr-x--x 1000\/1001 +4 2009-02-13 /);
    const back = await at.files.stage();
    assert.deepEqual((await at.files.putTar(back, Readable.from([tar]))).failed, []);
    await at.files.mkdir('/back');
    await at.files.merge(back, '/back', 'fail');
    assert.deepEqual(await at.names('/back/x'), await at.names('/x'));
  });

  it('keeps holes', async () => {
    const size = 3 * 1024 ** 3 + 777;
    const script =
      'cd "$0" && truncate -s 3221226249 sparse && printf %5000s m | dd of=sparse bs=1 seek=1073742336 conv=notrunc status=none && tar -S --format="$1" -c sparse';
    for (const format of ['gnu', 'pax']) {
      const folder = execFileSync('mktemp', ['-d']).toString().trim();
      const input = execFileSync('sh', ['-c', script, folder, format]);
      execFileSync('rm', ['-r', folder]);
      const stage = await at.files.stage();
      await at.files.putTar(stage, Readable.from([input]));
      await at.files.merge(stage, '/', 'overwrite');
      assert.equal((await at.files.stat('/sparse')).size, size);
      assert.ok((await at.files.usage('/sparse')).allocated < 100_000, format);
      const part = await bytesOf(await at.files.read('/sparse', { offset: 1024 ** 3, length: 8192 }));
      const wanted = Buffer.alloc(8192).fill(' ', 512, 5512);
      wanted[5511] = 'm'.charCodeAt(0);
      assert.ok(part.equals(wanted), format);
      await at.files.copy('/sparse', '/copy', { overwrite: true });
      assert.ok((await at.files.usage('/copy')).allocated < 100_000, format);
    }
  });

  it('names what a volume can not be given, and takes the rest', async () => {
    const long = 'y'.repeat(300);
    const members: Member[] = [
      [{ name: 'x/a' }, 'first'],
      [{ name: 'x/null', type: 'character-device', devmajor: 1, devminor: 3 }],
      [{ name: `x/${long}` }, 'too long a name'],
      [{ name: `x/${long}/below` }, 'in a folder of too long a name'],
      [{ name: `w/${`${'z'.repeat(200)}/`.repeat(21)}f` }, 'at too long a path'],
      [{ name: 'x/z' }, 'last'],
    ];
    const stage = await at.files.stage();
    const { failed } = await at.files.putTar(stage, tarOf(members));
    const shown = failed.map(({ path, reason }) => [path.slice(0, 7), reason]);
    assert.deepEqual(shown, [
      ['/x/null', 'it is neither a file, a folder nor a link'],
      ['/x/yyyy', 'its name is too long'],
      ['/x/yyyy', 'its name is too long'],
      ['/w/zzzz', 'its path is too long'],
    ]);
    const merged = await at.files.merge(stage, '/', 'fail');
    assert.deepEqual([merged.failed, merged.files, await at.names('/x')], [[], 2, ['a', 'z']]);
    assert.equal(await at.text('/x/z'), 'last');
  });

  it('drops rights to become somebody else, counted, unless they are to be kept', async () => {
    const members: Member[] = [[{ name: 'x/set', mode: 0o6755 }, 'x']];
    const stage = await at.files.stage();
    const { lost } = await at.files.putTar(stage, tarOf(members));
    assert.deepEqual(lost, [{ what: 'set-user-ID and set-group-ID bits', count: 1, first: 'x/set' }]);
    await at.files.merge(stage, '/', 'fail');
    assert.equal((await at.files.stat('/x/set')).mode, 0o755);
    await at.put(
      '/',
      members.map(([header]): Member => [{ ...header, name: 'kept' }, 'x']),
    );
    assert.equal((await at.files.stat('/kept')).mode, 0o6755);
  });

  it('refuses archives that lead out or break off, and keeps nothing of them', async () => {
    const evil: Member[][] = [
      [[{ name: '../evil' }, 'x']],
      [[{ name: '/evil' }, 'x']],
      [[{ name: 'out', type: 'symlink', linkname: '/etc' }], [{ name: 'out/passwd' }, 'x']],
      [[{ name: 'stolen', type: 'link', linkname: '../../t/a.txt' }]],
      [[{ name: 'nothing', type: 'link', linkname: 'none' }]],
      [
        [{ name: 'file' }, 'x'],
        [{ name: 'file/below' }, 'x'],
      ],
    ];
    for (const members of evil) {
      const stage = await at.files.stage();
      await failure(at.files.putTar(stage, tarOf(members)), 'bad_request');
      await at.files.unstage(stage);
    }
    const stage = await at.files.stage();
    const whole = await bytesOf(tarOf(fresh));
    const half = Readable.from([whole.subarray(0, 1500)]);
    await failure(at.files.putTar(stage, half), 'bad_request');
    await at.files.unstage(stage);
    assert.deepEqual(await at.names(), ['t']);
  });

  it('sweeps what a dead agent left, when the next upload begins', async () => {
    const stage = await at.stage(fresh);
    await at.room.kill();
    await failure(at.files.merge(stage, '/t', 'overwrite'), 'gone');
    await at.ask('sweep');
    await failure(at.files.stat(stage), 'path_not_found');
    assert.equal((await at.files.usage('/')).files, 2);
    const next = await at.stage(fresh);
    assert.equal((await at.files.merge(next, '/t', 'overwrite')).files, 3);
  });

  it('takes stages and half-written files along when it ends', async () => {
    const before = (await at.files.usage('/')).allocated;
    const stage = await at.stage(fresh);
    const fields = { path: '/half', create: true, overwrite: true };
    const { handle } = await at.ask('open_write', fields);
    await at.ask('pwrite', { handle, offset: 0 });
    await at.room.restart();
    await failure(at.files.stat(stage), 'path_not_found');
    await failure(at.files.stat('/half'), 'path_not_found');
    assert.equal((await at.files.usage('/')).allocated, before);
  });
}
