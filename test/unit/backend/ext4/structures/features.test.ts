import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readSuperblock } from '../../../../../src/backend/ext4/fitness';
import { Ext4, rootInode } from '../../../../../src/backend/ext4/file-system';
import { crc32c } from '../../../../../src/backend/ext4/structures/crc';
import {
  Superblock,
  superblockOffset,
  superblockSize,
} from '../../../../../src/backend/ext4/structures/superblock';
import { failure } from '../../../../support/errors';
import { useTempFolder } from '../../../../support/temp';
import { bytesOf, makeImage, TestDisk } from '../../files/disk/harness';

const kinds = { incompat: 0x60, ro_compat: 0x64, compat: 0x5c };
type Kind = keyof typeof kinds;

/** What of a file system can be done with one bit set besides those that it has. */
type Use = 'all' | 'reading' | 'nothing';
const uses: Readonly<Record<Kind, (bit: number) => Use>> = {
  compat: () => 'all',
  incompat: (bit) =>
    [0x2, 0x4, 0x40, 0x80, 0x200, 0x2000, 0x4000].includes(bit)
      ? 'all'
      : [0x100, 0x400, 0x8000, 0x20000].includes(bit)
        ? 'reading'
        : 'nothing',
  ro_compat: (bit) =>
    [0x1, 0x2, 0x8, 0x10, 0x20, 0x40, 0x400].includes(bit) ? 'all' : bit === 0x200 ? 'nothing' : 'reading',
};

function withBit(superblock: Buffer, kind: Kind, bit: number): Buffer {
  const raw = Buffer.from(superblock);
  raw.writeUInt32LE((raw.readUInt32LE(kinds[kind]) | bit) >>> 0, kinds[kind]);
  raw.writeUInt32LE(crc32c(0xffffffff, raw, 0, 0x3fc), 0x3fc);
  return raw;
}

/** What can be done with it, and why not more. */
function useOf(raw: Buffer): [Use, string] {
  try {
    const reason = new Superblock(raw).unwritable;
    return [reason === undefined ? 'all' : 'reading', reason ?? ''];
  } catch (error) {
    return ['nothing', String(error)];
  }
}

describe('features of a file system', function () {
  this.timeout(30_000);
  const folder = useTempFolder();
  const bits = Array.from({ length: 32 }, (_, place) => (1 << place) >>> 0);

  const superblockOf = (image: string): Buffer =>
    readFileSync(image).subarray(superblockOffset, superblockOffset + superblockSize);

  async function set(image: string, kind: Kind, bit: number): Promise<void> {
    const raw = withBit(superblockOf(image), kind, bit);
    const file = await open(image, 'r+');
    await file.write(raw, 0, raw.length, superblockOffset);
    await file.close();
  }

  for (const kind of ['compat', 'incompat', 'ro_compat'] as const) {
    it(`allow what they allow in the kernel, each bit of ${kind}`, () => {
      const good = superblockOf(makeImage(join(folder(), 'image'), 16));
      for (const bit of bits) {
        const raw = withBit(good, kind, bit);
        const said = `${kind} 0x${bit.toString(16)}`;
        const [use, reason] = useOf(raw);
        assert.equal(use, uses[kind](bit), said);
        if (use !== 'all') {
          assert.match(reason, new RegExp(`${said}\\b`), reason);
          assert.match(reason, /start the workspace/);
        }
      }
    });
  }

  it('that are not known leave a file system as it is: it is read, and never written', async () => {
    const disk = await TestDisk.create(folder(), { sizeMiB: 16 });
    await disk.files.write('/a', Buffer.from('kept'), { create: true, overwrite: true });
    await disk.access.close();
    for (const bit of [0x80000000, 0x8000]) {
      await writeFile(join(folder(), 'copy'), await readFile(disk.image));
      const copy = TestDisk.on(join(folder(), 'copy'));
      await set(copy.image, 'ro_compat', bit);
      const before = await readFile(copy.image);
      assert.equal((await bytesOf(await copy.files.read('/a'))).toString(), 'kept');
      assert.deepEqual(
        (await copy.files.list('/')).entries.map(({ name }) => name),
        ['a'],
      );
      for (const change of [
        () => copy.files.write('/a', Buffer.from('new'), { create: true, overwrite: true }),
        () => copy.files.mkdir('/b'),
        () => copy.files.rename('/a', '/b', { overwrite: false }),
        () => copy.files.chmod('/a', 0o600),
        () => copy.files.remove('/a', { recursive: false }),
        () => copy.files.copy('/a', '/b', { overwrite: false }),
        () => copy.files.stage(),
      ]) {
        const { message } = await failure(change, 'read_only');
        assert.match(message, /ro_compat 0x8000(0000)?\b.*; start the workspace/);
      }
      await copy.dispose();
      assert.ok(before.equals(await readFile(copy.image)), 'nothing was written');
    }
    await disk.dispose();
  });

  it('that nothing can be read with are named before anything is read', async () => {
    const image = makeImage(join(folder(), 'image'), 16);
    await set(image, 'incompat', 0x10000);
    const { message } = await failure(readSuperblock('demo', image), 'not_supported');
    assert.match(message, /volume demo.*encrypt \(incompat 0x10000\); start the workspace/);
    const disk = TestDisk.on(image);
    assert.match((await failure(disk.files.list('/'))).message, /encrypt/);
    await disk.dispose();
    assert.throws(() => Ext4.open(image).names(rootInode), /encrypt/);
  });
});
