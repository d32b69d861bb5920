/** Extended attributes that we write: e2fsck finds nothing wrong, debugfs and we read back what was given. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Ext4, rootInode } from '../../../../../src/backend/ext4/file-system';
import { useTempFolder } from '../../../../support/temp';
import { assertClean, debugfs, makeImage } from '../../files/disk/harness';
import { Random } from '../../../../support/random';

const owned = { mode: 0o644, uid: 0, gid: 0 };
/** ACL_USER_OBJ rw, ACL_USER 1000 rwx, ACL_GROUP_OBJ r, ACL_MASK rwx, ACL_OTHER none. */
const acl = Buffer.from(
  '0200000001000600ffffffff02000700e803000004000400ffffffff10000700ffffffff20000000ffffffff',
  'hex',
);

describe('ext4 extended attributes', function () {
  this.timeout(60_000);
  const folder = useTempFolder();

  function withDisk(options: readonly string[], use: (fs: Ext4, file: number) => void): string {
    const image = makeImage(join(folder(), 'disk.ext4'), 16, options);
    const fs = Ext4.open(image);
    try {
      use(
        fs,
        fs.transact(() => fs.makeFile(rootInode, 'file', fs.newContent(), owned)),
      );
    } finally {
      fs.close();
    }
    assertClean(image);
    return image;
  }

  it('keeps attributes of all kinds, and lists in the form of the kernel', () => {
    const image = withDisk(['-b', '4096'], (fs, file) => {
      const given = new Map([
        ['user.note', Buffer.from('hello')],
        ['user.empty', Buffer.alloc(0)],
        ['user.two\nlines', Buffer.from('a\n!b')],
        ['user.\u00e9\uefff', Buffer.from([0, 255])],
        ['trusted.t', Buffer.from('t')],
        ['security.capability', Buffer.from('0100000200200000000000000000000000000000', 'hex')],
        ['system.posix_acl_access', acl],
        ['user.large', Buffer.alloc(3000, 7)],
      ]);
      fs.transact(() => given.forEach((value, name) => fs.attributes.set(file, name, value)));
      assert.deepEqual(new Map([...fs.attributes.list(file)].sort()), new Map([...given].sort()));
      assert.equal(fs.attributes.get(file, 'user.none'), undefined);
    });
    const said = debugfs(image, 'ea_list /file');
    assert.match(said, /system\.posix_acl_access \(44\)|system\.posix_acl_access \(28\)/);
    assert.match(debugfs(image, 'ea_get /file user.note'), /hello/);
  });

  it('refuses what the kernel would not take, and what has no room, and changes nothing then', () => {
    withDisk(['-b', '4096'], (fs, file) => {
      const set = (name: string, value = Buffer.from('x')) =>
        fs.transact(() => fs.attributes.set(file, name, value));
      for (const name of [
        ...['', 'user.', 'USER.x', 'system.data', 'system.posix_acl_access.x', 'btrfs.x', 'user.\0'],
        `user.${'x'.repeat(251)}`,
      ]) {
        assert.throws(() => set(name), { code: 'bad_request' }, name);
      }
      assert.throws(() => set('system.posix_acl_access'), { code: 'bad_request' });
      assert.throws(() => set('user.huge', Buffer.alloc(65_537)), { code: 'bad_request' });
      set('user.kept');
      assert.throws(() => set('user.wide', Buffer.alloc(4096)), { code: 'no_space' });
      set(`user.${'y'.repeat(250)}`);
      assert.deepEqual([...fs.attributes.list(file).keys()].sort(), ['user.kept', `user.${'y'.repeat(250)}`]);
      assert(fs.transact(() => fs.attributes.remove(file, 'user.kept')));
      assert(!fs.transact(() => fs.attributes.remove(file, 'user.kept')));
    });
  });

  for (const options of [[], ['-b', '1024'], ['-I', '128'], ['-O', '^metadata_csum,^64bit']]) {
    it(`agrees with a model after random changes (mke2fs ${options.join(' ')})`, () => {
      const random = new Random(7);
      withDisk(options, (fs, file) => {
        const model = new Map<string, Buffer>();
        for (let step = 0; step < 300; step++) {
          const name = `user.${'n'.repeat(1 + random.next(12))}${random.next(9)}`;
          if (random.next(3) === 0) {
            assert.equal(
              fs.transact(() => fs.attributes.remove(file, name)),
              model.delete(name),
            );
          } else {
            const value = Buffer.alloc(random.next(random.pick([8, 60, 400])), step);
            try {
              fs.transact(() => fs.attributes.set(file, name, value));
              model.set(name, value);
            } catch (error) {
              assert.equal((error as { code: string }).code, 'no_space');
            }
          }
        }
        assert.deepEqual(new Map([...fs.attributes.list(file)].sort()), new Map([...model].sort()));
      });
    });
  }

  it('gives the block back with the last attribute, and with the file', () => {
    const blocks = (image: string) => /Free blocks:\s+(\d+)/.exec(debugfs(image, 'stats'))?.[1];
    const image = makeImage(join(folder(), 'free.ext4'), 16, ['-b', '4096']);
    const before = blocks(image);
    const fs = Ext4.open(image);
    const [a, b] = ['a', 'b'].map((name) =>
      fs.transact(() => fs.makeFile(rootInode, name, fs.newContent(), owned)),
    );
    for (const file of [a!, b!, a!]) {
      fs.transact(() => fs.attributes.set(file, 'user.big', Buffer.alloc(1000, file)));
    }
    fs.transact(() => fs.attributes.remove(a!, 'user.big'));
    fs.transact(() => fs.remove(rootInode, 'b'));
    fs.close();
    assertClean(image);
    assert.equal(blocks(image), before);
  });
});
