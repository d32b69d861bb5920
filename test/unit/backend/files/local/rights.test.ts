import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { unpackBundle } from '../../../../../src/backend/drivers/containers/runtime/bundles';
import { encodeHeader, type TarEntry } from '../../../../../src/backend/tar/header';
import { TarReader } from '../../../../../src/backend/tar/read';
import type { VolumeFiles } from '../../../../../src/backend/files/volume-files';
import { TestVolume } from '../agent/harness';
import { TestDisk } from '../disk/harness';
import { isRoot } from '../../../../support/skip';
import { removeTree } from '../../../../support/temp';

const never = new AbortController().signal;
const plain: TarEntry = {
  name: 'f',
  type: 'file',
  size: 0,
  mode: 0o644,
  uid: process.getuid?.() ?? 0,
  gid: process.getgid?.() ?? 0,
  mtimeMs: 1e12,
  linkName: '',
};
const tarOf = (entries: readonly Partial<TarEntry>[]): Buffer =>
  Buffer.concat([...entries.map((entry) => encodeHeader({ ...plain, ...entry })), Buffer.alloc(1024)]);

const withRights = tarOf([
  {
    name: 'su',
    mode: 0o6755,
    xattrs: new Map([
      ['security.capability', Buffer.from(`0000000200040000${'00'.repeat(12)}`, 'hex')],
      ['trusted.x', Buffer.from('1')],
      ['user.k', Buffer.from('v')],
      ['user.long', Buffer.alloc(65_537)],
    ]),
  },
  { name: 'd', type: 'directory', mode: 0o2775 },
]);

async function found(files: VolumeFiles): Promise<Map<string, [mode: number, attributes: string[]]>> {
  const entries = new Map<string, [number, string[]]>();
  const take = ({ name, mode, xattrs }: TarEntry): undefined =>
    void entries.set(name.replace(/^\.\/|\/$/g, ''), [mode, [...(xattrs?.keys() ?? [])].sort()]);
  const reader = new TarReader({ entry: take, large: take });
  await files.receiveTar('/', (chunk) => reader.push(chunk), never);
  return entries;
}

describe('rights of files in tars', function () {
  this.timeout(60_000);
  let folder: string;
  let open: { files: VolumeFiles; dispose: () => Promise<void> };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-rights-'));
  });
  afterEach(async () => {
    await open.dispose();
    removeTree(folder);
  });

  const onDisk = 'in the disk of a stopped machine';
  const kinds = {
    'by the agent in Python': () => TestVolume.create(),
    [onDisk]: () => TestDisk.create(folder, { sizeMiB: 64 }),
  };
  for (const [kind, make] of Object.entries(kinds)) {
    it(`are dropped and counted, and kept only where they are asked for, ${kind}`, async () => {
      open = await make();
      const { files } = open;
      for (const keepRights of [false, true]) {
        const stage = await files.stage();
        const { lost, failed } = await files.putTar(stage, Readable.from([withRights]), never, {
          keepRights,
        });
        await files.merge(stage, '/', 'overwrite');
        assert.deepEqual(failed, []);
        const names = lost.map(({ what, count }) => [what, count]);
        const { su, d } = Object.fromEntries(await found(files));
        assert.equal(d?.[0], 0o2775);
        if (keepRights) {
          const kept =
            kind === onDisk || isRoot ? [] : ['extended attributes trusted.*', 'file capabilities'];
          assert.deepEqual(
            names.map(([what]) => what).sort(),
            [...kept, 'extended attributes user.*'].sort(),
          );
          continue;
        }
        assert.deepEqual(names.sort(), [
          ['extended attributes trusted.*', 1],
          ['extended attributes user.*', 1],
          ['file capabilities', 1],
          ['set-user-ID and set-group-ID bits', 1],
        ]);
        assert.deepEqual(su, [0o755, ['user.k']]);
      }
    });
  }

  it('are kept of bundles, which are unpacked as a whole or not at all', async () => {
    open = await TestVolume.create();
    const { files } = open;
    const warnings: string[] = [];
    const bundle = join(folder, 'bundle.tar');
    const unpack = (tar: Buffer): Promise<void> => {
      writeFileSync(bundle, tar);
      return unpackBundle(files, bundle, never, (text) => void warnings.push(text));
    };
    await unpack(
      tarOf([{ name: 'su', mode: 0o4755, xattrs: new Map([['user.long', Buffer.alloc(65_537)]]) }]),
    );
    assert.equal((await found(files)).get('su')?.[0], 0o4755);
    assert.match(
      warnings.join(),
      /1 of the files in .*bundle.tar were unpacked without: extended attributes user/,
    );
    await assert.rejects(unpack(tarOf([{ name: 'a/'.repeat(2500) + 'f' }])), /was not unpacked: .*too long/);
  });

  it('come with maps of many parts that are read in a moment, and with deep names', async () => {
    open = await TestVolume.create();
    const { files } = open;
    const begun = Date.now();
    const sparse = Array.from({ length: 90_000 }, (_, index) => ({ offset: index * 8192, length: 0 }));
    const deep = Array.from({ length: 2000 }, (_, index) => ({
      name: 'a/'.repeat(index + 1).slice(0, -1),
      type: 'directory' as const,
    }));
    const stage = await files.stage();
    const tar = tarOf([{ name: 'holes', size: 90_000 * 8192, sparse }, ...deep]);
    assert.deepEqual(await files.putTar(stage, Readable.from([tar]), never), { lost: [], failed: [] });
    await files.unstage(stage);
    assert.ok(Date.now() - begun < 30_000, `took ${Date.now() - begun} ms`);
  });

  it('come with names that are too long for Linux, which are told, and the rest is there', async () => {
    open = await TestVolume.create();
    const { files } = open;
    const stage = await files.stage();
    const tar = tarOf([
      { name: 'n'.repeat(256) },
      { name: `${'d/'.repeat(2100)}f` },
      { name: 'link', type: 'symlink', linkName: 'x'.repeat(5000) },
      { name: 'other', type: 'link', linkName: 'y'.repeat(300) },
      { name: 'n'.repeat(255) },
    ]);
    const { failed } = await files.putTar(stage, Readable.from([tar]), never);
    assert.deepEqual(
      failed.map(({ path, reason }) => [path.slice(0, 6), reason]),
      [
        ['/nnnnn', 'its name is too long'],
        ['/d/d/d', 'its path is too long'],
        ['/link', 'what it links to has too long a name'],
        ['/other', 'what it links to has too long a name'],
      ],
    );
    const { failed: unplaced, files: count } = await files.merge(stage, '/', 'fail');
    assert.deepEqual([unplaced, count], [[], 1]);
    await assert.rejects(files.mkdir(`/${'a/'.repeat(3000)}`, { parents: true }), /4096 bytes/);
    assert.deepEqual(
      (await files.list('/')).entries.map(({ name }) => name),
      ['n'.repeat(255)],
    );
  });
});
