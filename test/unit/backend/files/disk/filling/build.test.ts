/** Images are read back with debugfs and checked with e2fsck. */
import assert from 'node:assert/strict';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { buildExt4 } from '../../../../../../src/backend/files/disk/filling/build';
import { runProgram, succeed } from '../../../../../support/programs';
import { useTempFolder } from '../../../../../support/temp';

type Header = Parameters<ReturnType<typeof pack>['entry']>[0];

describe('files/disk/filling/build', function () {
  this.timeout(60_000);
  const folder = useTempFolder();
  const image = () => join(folder(), 'disk.ext4');

  function tarOf(entries: readonly [Header, string?][]): Readable {
    const tar = pack();
    for (const [header, content] of entries) {
      tar.entry({ mtime: new Date(1_700_000_000_000), ...header }, content ?? '');
    }
    tar.finalize();
    return Readable.from(tar as AsyncIterable<Uint8Array>);
  }
  const debugfs = async (command: string) => succeed('/sbin/debugfs', ['-R', command, image()]);
  const isClean = () => succeed('/sbin/e2fsck', ['-f', '-n', image()]);
  const left = () => readdir(folder());
  let umask = 0;
  // As the engine has it.
  before(() => (umask = process.umask(0o077)));
  after(() => process.umask(umask));

  it('makes an empty file system of the size asked for', async () => {
    const { sizeMiB, warnings } = await buildExt4(image(), undefined, { sizeMiB: 32, label: 'empty' });
    assert.deepEqual([sizeMiB, warnings], [32, []]);
    assert.equal((await stat(image())).size, 32 * 1024 ** 2);
    assert.equal((await stat(image())).mode & 0o777, 0o600);
    await isClean();
    assert.match(await succeed('/sbin/dumpe2fs', ['-h', image()]), /volume name:\s+empty/);
  });

  it('keeps modes, owners, times, links, devices and attributes', async () => {
    const pax = { 'SCHILY.xattr.user.color': 'green' };
    const { warnings } = await buildExt4(
      image(),
      tarOf([
        [{ name: './', type: 'directory', mode: 0o755 }],
        [{ name: 'etc', type: 'directory', mode: 0o2750, uid: 3, gid: 4 }],
        [{ name: 'etc/shadow', mode: 0o640, uid: 0, gid: 42 }, 'secret'],
        [{ name: 'usr/bin/su', mode: 0o4755, uid: 0, gid: 0, pax }, 'su'],
        [{ name: 'usr/bin/su2', type: 'link', linkname: 'usr/bin/su' }],
        [{ name: 'home/large id', mode: 0o600, uid: 100_000, gid: 200_000 }, 'x'],
        [{ name: 'sh', type: 'symlink', linkname: '/bin/the shell' }],
        [{ name: 'dev/null', type: 'character-device', mode: 0o666, devmajor: 1, devminor: 3 }],
        [{ name: 'pipe', type: 'fifo', mode: 0o622 }],
        [{ name: 'open', mode: 0o644 }, 'for all'],
      ]),
      { sizeMiB: 32 },
    );
    assert.deepEqual(warnings, []);
    await isClean();
    assert.match(await debugfs('stat /etc'), /directory\s+Mode:\s+02750[^]*User:\s+3\s+Group:\s+4/);
    assert.match(await debugfs('stat /open'), /Mode:\s+0644/);
    assert.match(await debugfs('stat /etc/shadow'), /Mode:\s+0640[^]*Group:\s+42[^]*mtime: 0x6553f100/);
    assert.match(await debugfs('stat /usr/bin/su'), /Mode:\s+04755[^]*Links: 2/);
    assert.equal(await debugfs('cat /usr/bin/su2'), 'su');
    assert.match(await debugfs('ea_get /usr/bin/su user.color'), /green/);
    assert.match(await debugfs('stat "/home/large id"'), /User:\s+100000\s+Group:\s+200000/);
    assert.match(await debugfs('stat /sh'), /symlink[^]*\/bin\/the shell/);
    assert.match(
      await debugfs('stat /dev/null'),
      /character special[^]*Mode:\s+0666[^]*major\/minor number: 01:03/,
    );
    assert.match(await debugfs('stat /pipe'), /FIFO[^]*Mode:\s+0622/);
  });

  it('takes the last of several entries, whatever the first was', async () => {
    await buildExt4(
      image(),
      tarOf([
        [{ name: 'a', type: 'directory' }],
        [{ name: 'a/inside' }, 'old'],
        [{ name: 'a' }, 'now a file'],
        [{ name: 'b' }, 'a file'],
        [{ name: 'b/inside' }, 'now in a folder'],
      ]),
    );
    await isClean();
    assert.equal(await debugfs('cat /a'), 'now a file');
    assert.equal(await debugfs('cat /b/inside'), 'now in a folder');
  });

  it('carries odd names, and says what it can not carry', async () => {
    const names = [
      'with space',
      'quo"te',
      "it's",
      'back\\slash',
      'ü–字',
      '$(id)',
      '-rf',
      '#hash',
      ' ',
      '<8>',
    ];
    const { warnings } = await buildExt4(
      image(),
      tarOf([
        ...names.map((name): [Header, string] => [{ name: `d/${name}` }, name]),
        [{ name: 'two\nlines' }, 'x'],
        [{ name: '../outside' }, 'x'],
        [{ name: 'dangling', type: 'link', linkname: 'nowhere' }],
      ]),
    );
    await isClean();
    assert.equal(warnings.length, 2, warnings.join('\n'));
    assert.match(await debugfs('ls -p /'), /two\\nlines|two\nlines|two\^Jlines/);
    const listed = await debugfs('ls -p /d');
    for (const name of names) {
      assert(listed.includes(`/${name}/`), `${name} is not in ${listed}`);
    }
    assert(!(await debugfs('ls -p /')).includes('outside'));
  });

  it('stays inside, whatever a tar says', async () => {
    await writeFile(join(folder(), 'victim'), 'as it was');
    await buildExt4(
      image(),
      tarOf([
        [{ name: 'link', type: 'symlink', linkname: folder() }],
        [{ name: 'link/victim' }, 'overwritten'],
        [{ name: '/absolute' }, 'inside'],
      ]),
    );
    assert.equal(await succeed('cat', [join(folder(), 'victim')]), 'as it was');
    assert.equal(await debugfs('cat /absolute'), 'inside');
  });

  it('says that the content does not fit, and leaves nothing', async () => {
    const large = 'x'.repeat(12 * 1024 ** 2);
    await assert.rejects(buildExt4(image(), tarOf([[{ name: 'large' }, large]]), { sizeMiB: 8 }), {
      code: 'no_space',
    });
    assert.deepEqual(await left(), []);
  });

  it('leaves nothing of a tar that breaks off, or when it is cancelled', async () => {
    const broken = Readable.from([Buffer.alloc(700, 'x')]);
    await assert.rejects(buildExt4(image(), broken));
    assert.deepEqual(await left(), []);
    const endless = new Readable({ read: () => undefined });
    const abort = new AbortController();
    const building = buildExt4(image(), endless, { signal: abort.signal });
    abort.abort();
    await assert.rejects(building, { code: 'cancelled' });
    assert.deepEqual(await left(), []);
  });

  it('holds many files in one folder', async () => {
    const many = Array.from({ length: 3000 }, (_, n): [Header, string] => [{ name: `m/f${n}` }, String(n)]);
    await buildExt4(image(), tarOf(many));
    await isClean();
    assert.equal(await debugfs('cat /m/f2999'), '2999');
    assert.equal((await runProgram('/sbin/debugfs', ['-R', 'stat /m/f3000', image()])).stdout, '');
  });
});
