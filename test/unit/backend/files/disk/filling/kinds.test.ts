/** All that a tar can bring, and what is large or odd: e2fsck finds it clean, and it is what it was. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, createReadStream, openSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buildExt4 } from '../../../../../../src/backend/files/disk/filling/build';
import { Tree } from '../../../../../../src/backend/files/disk/filling/tree';
import { vetTar } from '../../../../../../src/backend/tar/vetting';
import { Ext4, rootInode } from '../../../../../../src/backend/ext4/file-system';
import type { Inode } from '../../../../../../src/backend/ext4/structures/inode';
import { firstOf } from '../../../../../../src/backend/tar/losses';
import { tarOf, type Member } from '../../../../../support/images';
import { useTempFolder } from '../../../../../support/temp';
import { assertClean, debugfs } from '../harness';

const acl = Buffer.from(
  '0200000001000600ffffffff02000700e803000004000400ffffffff10000700ffffffff20000000ffffffff',
  'hex',
);

describe('files/disk/filling/build of all kinds', function () {
  this.timeout(120_000);
  const folder = useTempFolder();
  const image = () => join(folder(), 'disk.ext4');

  async function build(members: readonly Member[], sizeMiB?: number): Promise<string[]> {
    const tar = Readable.from([tarOf(members)]);
    const { warnings } = await buildExt4(image(), tar, sizeMiB === undefined ? {} : { sizeMiB });
    assertClean(image());
    return warnings;
  }

  function look<T>(use: (fs: Ext4, at: (path: string) => Inode) => T): T {
    const fs = Ext4.open(image());
    const at = (path: string): Inode =>
      fs.inode(path.split('/').reduce((inode, name) => fs.lookup(inode, name)!, rootInode));
    try {
      return use(fs, at);
    } finally {
      fs.close();
    }
  }

  it('keeps times of all centuries, large owners and every bit of a mode', async () => {
    const times = {
      old: -1,
      older: -2_000_000_000,
      later: 2_147_483_648,
      late: 4_294_967_296,
      last: 15_032_385_535,
    };
    const members = Object.entries(times).map(([name, time]): Member => ({
      ...{ name, mtimeMs: time * 1000, mode: 0o7777, uid: 4_294_967_294, gid: 65_536 },
    }));
    assert.deepEqual(
      await build([...members, { name: 'd', type: 'directory', mode: 0o3777, mtimeMs: -5000 }]),
      [],
    );
    look((_, at) => {
      for (const [name, time] of Object.entries(times)) {
        const inode = at(name);
        assert.equal(inode.time('mtime'), time * 1e6, name);
        assert.deepEqual([inode.mode & 0o7777, inode.uid, inode.gid], [0o7777, 4_294_967_294, 65_536]);
      }
      assert.deepEqual([at('d').mode & 0o7777, at('d').time('mtime')], [0o3777, -5e6]);
    });
  });

  it('keeps times to the nanosecond, before 1970 too', async () => {
    const times = { now: 1_700_000_000_123_456_789n, before: -1_500_000_001n };
    const members = Object.entries(times).map(([name, mtimeNs]): Member => ({
      ...{ name, mtimeNs, mtimeMs: Number(mtimeNs / 1_000_000n) },
    }));
    assert.deepEqual(await build([...members, { ...members[0], name: 'd', type: 'directory' }]), []);
    look((_, at) => {
      for (const [name, time] of Object.entries({ ...times, d: times.now })) {
        const inode = at(name);
        assert.equal(BigInt(inode.time('mtime')) * 1000n + BigInt(inode.timeRest('mtime')), time, name);
      }
    });
  });

  it('leaves out, and names, what belongs to nobody: the number of root is not what is left of a larger one', async () => {
    const warnings = await build([
      { name: 'u', uid: 2 ** 32 },
      { name: 'g', gid: 2 ** 32 + 5 },
    ]);
    assert.deepEqual(
      warnings.map((warning) => /^"(.)" has an owner of an impossible number/.exec(warning)?.[1]),
      ['u', 'g'],
    );
  });

  it('ends soon, and in words, for links in links and for more attributes than any file has', async () => {
    const deep = Array.from({ length: 1500 }, () => 'd').join('/');
    const links = Array.from({ length: 38 }, (_, index): Member[] => [
      { name: `l${index}`, type: 'symlink', linkName: index === 0 ? deep : `l${index - 1}/${deep}` },
      { name: `l${index}/${deep}`, type: 'directory' },
    ]);
    const start = Date.now();
    await assert.rejects(build([{ name: deep, type: 'directory' }, ...links.flat()]), /too long a way/);
    const xattrs = new Map(Array.from({ length: 2000 }, (_, index) => [`user.a${index}`, Buffer.alloc(0)]));
    await assert.rejects(build([{ name: 'f', xattrs }]), /more attributes than any can have/);
    assert.ok(Date.now() - start < 20_000);
  });

  it('counts what it leaves out beyond what it lists, and says why', async () => {
    const xattrs = new Map(Array.from({ length: 502 }, (_, index) => [`user.${index}`, Buffer.from('x')]));
    const links = Array.from({ length: 350 }, (_, index): Member => ({
      name: `l${index}`,
      type: 'link',
      linkName: 'no',
    }));
    const tar = Readable.from([tarOf([...links, { name: 'f', xattrs }])]);
    const { warnings, unlisted } = await buildExt4(image(), tar);
    assert.equal(warnings.length, 200);
    assert(unlisted >= 350 + 2 - 100, String(unlisted));
    assert.match(firstOf(warnings, unlisted).at(-1) ?? '', new RegExp(`^And ${190 + unlisted} more`));
    const { warnings: few } = await buildExt4(image(), Readable.from([tarOf([{ name: 'f', xattrs }])]));
    assert(
      few.includes('The attribute "user.500" of "f" is one too many for a file, and was left out.'),
      few[0],
    );
  });

  it('keeps no name or target of megabytes', async () => {
    const long = '\uef80'.repeat(4 * 1024 * 1024);
    const start = Date.now();
    const warnings = await build([{ name: long }, { name: 'l', type: 'symlink', linkName: long }]);
    assert.match(warnings[0] ?? '', /too long a name/);
    assert.match(warnings[1] ?? '', /"l" is a link whose target is empty or too long/);
    assert.ok(Date.now() - start < 60_000);
  });

  it('refuses to fill the memory with values and targets', () => {
    const tree = new Tree();
    const inode = { mode: 0o777, uid: 0, gid: 0, mtime: 0, size: 0 };
    const xattrs = new Map([['user.a', Buffer.alloc(64 * 1024)]]);
    assert.throws(() => {
      for (let index = 0; index < 20_000; index++) {
        tree.put(['f'], { ...inode, kind: 'file', xattrs });
      }
    }, /MiB of names and attributes/);
  });

  it('keeps attributes of all kinds on files, folders and the root, and names what it leaves out', async () => {
    const xattrs = new Map([
      ['user.a=b%c', Buffer.from('1')],
      ['trusted.overlay.opaque', Buffer.from('y')],
      ['security.capability', Buffer.from('0100000200200000000000000000000000000000', 'hex')],
      ['system.posix_acl_access', acl],
      ['user.long', Buffer.alloc(3500, 'l')],
    ]);
    const bad = new Map([
      ['system.data', Buffer.from('x')],
      ['weird.kind', Buffer.from('x')],
      ['system.posix_acl_default', Buffer.from('no list')],
      [`user.${'n'.repeat(300)}`, Buffer.from('x')],
      ['user.huge', Buffer.alloc(70_000)],
      ['user.wide', Buffer.alloc(5000)],
    ]);
    const warnings = await build([
      { name: './', type: 'directory', xattrs },
      { name: 'd', type: 'directory', xattrs },
      { name: 'f', content: 'f', xattrs: new Map([...xattrs, ...bad]) },
      { name: 'l', type: 'symlink', linkName: 'x'.repeat(100), xattrs: new Map([['trusted.t', acl]]) },
    ]);
    look((fs, at) => {
      for (const number of [rootInode, at('d').number, at('f').number]) {
        assert.deepEqual(new Map([...fs.attributes.list(number)].sort()), new Map([...xattrs].sort()));
      }
      assert.deepEqual(fs.attributes.get(at('l').number, 'trusted.t'), acl);
      assert.equal(fs.readLink(at('l')), 'x'.repeat(100));
    });
    assert.equal(warnings.length, bad.size, warnings.join('\n'));
    for (const name of bad.keys()) {
      assert(
        warnings.some((text) => text.includes(name.slice(0, 40))),
        name,
      );
    }
  });

  it('keeps names of all bytes, the longest ones, and lost+found', async () => {
    const names = [
      'n'.repeat(255),
      'ü'.repeat(127),
      '\uef80\uefff',
      ' ',
      '\n',
      'a\tb\rc\n!id',
      '<8>',
      '-rf',
      '"',
      '\\',
    ];
    const warnings = await build([
      ...names.map((name) => ({ name: `d/${name}`, content: name })),
      { name: 'lost+found/kept', content: 'k' },
      { name: 'n'.repeat(256), content: 'too long' },
    ]);
    assert.equal(warnings.length, 1, warnings.join());
    look((fs, at) => {
      assert.deepEqual([...fs.names(at('d').number).keys()].sort(), [...names].sort());
      assert.equal(at('lost+found/kept').size, 1);
    });
    assert.match((await build([{ name: 'lost+found', content: 'a file' }])).join(), /lost\+found/);
  });

  it('holds 100,000 names in a folder, and says which are too many for their file', async () => {
    const links = Array.from({ length: 100_000 }, (_, n): Member => {
      return { name: `many/name number ${n}`, type: 'link', linkName: n < 40_000 ? 'a' : 'b' };
    });
    const more = Array.from({ length: 5001 }, (_, n): Member => {
      return { name: `more/${n}`, type: 'link', linkName: 'b' };
    });
    const warnings = await build([{ name: 'a' }, { name: 'b' }, ...links, ...more]);
    assert.deepEqual(warnings, [
      '"/many/name number 99998" is a name too many for its file, and was left out.',
      '"/many/name number 99999" is a name too many for its file, and was left out.',
    ]);
    look((fs, at) => {
      assert.equal(fs.names(at('many').number).size, 99_998);
      assert.deepEqual([at('a').links, at('b').links], [40_001, 65_000]);
    });
    assert.match(debugfs(image(), 'stat "/many/name number 77777"'), /Type: regular/);
  });

  it('leaves out a file of a petabyte that is all hole, at once', async () => {
    const [header] = [tarOf([{ name: 'petabyte', content: '' }]).subarray(0, 512)];
    header.write('S', 156);
    header.fill(0, 386, 500);
    header.writeUInt8(0x80, 483);
    header.writeBigUInt64BE(2n ** 50n, 487);
    header.fill(' ', 148, 156);
    const sum = header.reduce((all, byte) => all + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const { warnings } = await buildExt4(image(), Readable.from([header, Buffer.alloc(1024)]), {});
    assert.deepEqual(warnings, ['"petabyte" is larger than any disk and was left out.']);
  });

  const formats = ['--format=gnu', '--format=pax --sparse-version=0.0', '--format=pax'];
  for (const format of formats) {
    it(`keeps holes, through a bundle too (tar ${format} -S)`, async () => {
      const size = 6 * 1024 ** 3;
      const data = randomBytes(300 * 4096);
      const file = openSync(join(folder(), 'sparse'), 'w');
      writeSync(file, 'start');
      writeSync(file, data, 0, data.length, size / 2);
      closeSync(file);
      truncateSync(join(folder(), 'sparse'), size);
      const tar = join(folder(), 'a.tar');
      execFileSync('tar', ['-C', folder(), ...format.split(' '), '-S', '-cf', tar, 'sparse']);
      for (const through of [(source: Readable) => source, (source: Readable) => vetTar(source, tar)]) {
        const { warnings } = await buildExt4(image(), through(createReadStream(tar)));
        assert.deepEqual(warnings, []);
        assertClean(image());
        assert(statSync(image()).blocks * 512 < 100 * 1024 ** 2);
        look((fs, at) => {
          const { content, close } = fs.reader(at('sparse'));
          assert.equal(content.size, size);
          assert.equal(content.read(0, 6).toString('latin1'), 'start\0');
          assert(content.read(size / 2, data.length).equals(data));
          assert.equal(at('sparse').sectors * 512, 301 * 4096);
          close();
        });
      }
    });
  }

  it('makes room for many files that have nothing in them', async () => {
    const files = Array.from({ length: 15_000 }, (_, n): Member => ({ name: `${n % 100}/${n}` }));
    assert.deepEqual(await build(files), []);
  });
});
