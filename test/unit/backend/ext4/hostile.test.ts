/** Images that somebody made to hurt: an error is an answer; a hang, a crash or a path outside is not. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DiskAgent } from '../../../../src/backend/files/disk/agent/agent';
import { DiskError } from '../../../../src/backend/ext4/disk-error';
import { Ext4, rootInode } from '../../../../src/backend/ext4/file-system';
import { redoLogOf } from '../../../../src/backend/ext4/redo-log';
import { useTempFolder } from '../../../support/temp';
import { execFileSync } from 'node:child_process';
import { makeImage, TestDisk, type Member } from '../files/disk/harness';
import { Random } from '../../../support/random';

const slowestMs = 5000;

type Fields = Record<string, unknown>;

/** Asks an agent on an image, in this thread: what it throws would be ours to see. */
class Asker {
  private readonly agent: DiskAgent;
  private readonly waiting = new Map<number, (head: Fields) => void>();
  private last = 0;
  codes: string[] = [];

  constructor(fs: Ext4) {
    this.agent = new DiskAgent(fs, (head) => {
      this.waiting.get(Number(head.id))?.(head);
    });
  }

  async ask(op: string, fields: Fields = {}): Promise<Fields | undefined> {
    const id = ++this.last;
    const answer = new Promise<Fields>((resolve) => this.waiting.set(id, resolve));
    this.agent.receive({ head: { id, op, ...fields }, payload: Buffer.from('new content') });
    const { ok, error } = await answer;
    if (error !== undefined) {
      this.codes.push(String((error as Fields).code));
    }
    return ok as Fields | undefined;
  }

  async end(): Promise<void> {
    await this.agent.end();
  }
}

async function useEverything(asker: Asker): Promise<void> {
  const listed = await asker.ask('list', { path: '/' });
  const rows = ((listed?.entries ?? []) as unknown[][]).slice(0, 20);
  for (const name of [...rows.map(([first]) => String(first)), 'deep/er/x', 'link', 'long', 'big', 'many']) {
    assert.ok(!name.includes('\0'), 'no name holds NUL');
    await asker.ask('stat', { path: `/${name}` });
    await asker.ask('list', { path: `/${name}`, limit: 50 });
    await asker.ask('read', { path: `/${name}`, offset: 0, length: 100_000, chunk: 100_000 });
  }
  await asker.ask('usage', { path: '/' });
  const tar = await asker.ask('tar_open', { path: '/' });
  for (let n = 0; n < 5; n++) {
    await asker.ask('tar_next', { handle: tar?.handle });
  }
  await asker.ask('write', { path: '/fresh', create: true, overwrite: true });
  await asker.ask('write', { path: '/many/fresh', create: true, overwrite: true });
  await asker.ask('rename', { from: '/deep', to: '/moved', overwrite: true });
  await asker.ask('copy', { from: '/many', to: '/copied', overwrite: false });
  await asker.ask('remove', { path: '/many', recursive: true });
  await asker.ask('remove', { path: '/moved', recursive: true });
}

async function examine(image: string): Promise<string[]> {
  rmSync(redoLogOf(image), { force: true });
  let fs: Ext4;
  try {
    fs = Ext4.open(image);
  } catch (error) {
    assert.ok(error instanceof DiskError, String(error));
    return [error.code];
  }
  const asker = new Asker(fs);
  await useEverything(asker);
  await asker.end();
  return asker.codes;
}

async function populated(folder: string, name: string, options: readonly string[]): Promise<Buffer> {
  const path = join(folder, name);
  makeImage(path, 4, ['-b', '1024', ...options]);
  const disk = TestDisk.on(path);
  const members: Member[] = [
    [{ name: 'deep/er/x' }, 'x'.repeat(3000)],
    [{ name: 'link', type: 'symlink', linkname: 'deep/er/x' }],
    [{ name: 'long', type: 'symlink', linkname: `${'./'.repeat(60)}deep` }],
    [{ name: 'big' }, Buffer.alloc(400_000, 'b')],
    ...Array.from({ length: 150 }, (_, n): Member => [{ name: `many/file-${n}` }, `${n}`]),
  ];
  await disk.put('/', members);
  await disk.dispose();
  return readFileSync(path);
}

/** The same tree, in a file system that we don't write. */
function populatedByOthers(folder: string, options: readonly string[]): Buffer {
  const tree = join(folder, 'tree');
  for (const path of ['deep/er', 'many']) {
    mkdirSync(join(tree, path), { recursive: true });
  }
  writeFileSync(join(tree, 'deep/er/x'), 'x'.repeat(3000));
  writeFileSync(join(tree, 'big'), Buffer.alloc(400_000, 'b'));
  symlinkSync('deep/er/x', join(tree, 'link'));
  symlinkSync(`${'./'.repeat(60)}deep`, join(tree, 'long'));
  for (let n = 0; n < 150; n++) {
    writeFileSync(join(tree, `many/file-${n}`), `${n}`);
  }
  return readFileSync(makeImage(join(folder, 'good'), 4, ['-b', '1024', ...options, '-d', tree]));
}

/** Where an image has what is worth to be wrong: superblock, groups, bitmaps, inodes, folders. */
function mutate(image: Buffer, random: Random): void {
  for (let count = 1 + random.next(6); count > 0; count--) {
    const area = random.pick([
      [1024, 1024],
      [2048, 1024],
      [0, 300 * 1024],
      [0, 300 * 1024],
      [0, image.length],
    ]);
    const at = area[0]! + random.next(area[1]! - 4);
    const kind = random.next(4);
    if (kind === 0) {
      image[at] = random.next(256);
    } else if (kind === 1) {
      image.writeUInt32LE(
        random.pick([0, 1, 2, 0xff, 0xffff, 0x7fffffff, 0xffffffff, random.next(5000)]),
        at & ~3,
      );
    } else if (kind === 2) {
      image.fill(random.pick([0, 0xff]), at, at + random.next(256));
    } else {
      image.copyWithin(at & ~1023, random.next(image.length - 1024) & ~1023, (random.next(300) + 1) * 1024);
    }
  }
}

describe('a hostile image', function () {
  this.timeout(120_000);
  const folder = useTempFolder();

  for (const [seed, what, options] of [
    [11, 'without checksums', ['-O', '^metadata_csum']],
    [12, 'without extents', ['-O', '^metadata_csum,^extents,^64bit']],
    [13, 'with checksums', []],
  ] as const) {
    it(`${what}, changed in 120 ways, is told apart or read`, async () => {
      const good =
        what === 'without extents'
          ? populatedByOthers(folder(), options)
          : await populated(folder(), 'good', options);
      const random = new Random(seed);
      const image = join(folder(), 'bad');
      const codes = new Set<string>();
      for (let n = 0; n < 120; n++) {
        const bad = Buffer.from(good);
        mutate(bad, random);
        writeFileSync(image, bad);
        const start = performance.now();
        (await examine(image)).forEach((code) => codes.add(code));
        assert.ok(
          performance.now() - start < slowestMs,
          `mutation ${n} took ${performance.now() - start} ms`,
        );
      }
      assert.ok(codes.has('internal'), [...codes].join());
    });
  }

  const edit = (image: string, ...commands: string[]): void => {
    const input = commands.join('\n');
    execFileSync('debugfs', ['-w', '-f', '-', image], { input, stdio: ['pipe', 'ignore', 'ignore'] });
  };

  it('with folders inside themselves is walked to an end', async () => {
    const image = join(folder(), 'loop');
    writeFileSync(image, await populated(folder(), 'good', []));
    edit(image, 'link /deep /deep/er/again');
    const disk = TestDisk.on(image);
    try {
      await assert.rejects(disk.files.stat('/deep/er/again/er/again/er/x'), /inside itself/);
      const { unread } = await disk.files.usage('/deep');
      assert.match(
        `${unread?.count} ${unread?.first} ${unread?.reason}`,
        /^1 \/deep\/er\/again .*inside itself/,
      );
      const notes: string[] = [];
      const note = (path: string, reason: string): void => void notes.push(`${path}: ${reason}`);
      await disk.files.copy('/deep', '/copy', { overwrite: false, unread: note });
      assert.match(notes.join(), /^\/deep\/er\/again: .*inside itself/);
      assert.equal(notes.length, 1);
      await assert.rejects(disk.files.remove('/deep', { recursive: true }), /inside itself/);
      assert.equal((await disk.files.stat('/big')).size, 400_000);
    } finally {
      await disk.dispose();
    }
  });

  it('with names that no file can have says so, and lists nothing of them', async () => {
    const good = await populated(folder(), 'good', ['-O', '^metadata_csum']);
    for (const name of ['dee/', 'd\0ep', '../x']) {
      const image = join(folder(), 'names');
      const bad = Buffer.from(good);
      const at = bad.indexOf(Buffer.from([4, 2, 0x64, 0x65, 0x65, 0x70]));
      assert.ok(at > 0);
      bad.write(name, at + 2, 'latin1');
      writeFileSync(image, bad);
      const fs = Ext4.open(image);
      assert.throws(() => fs.names(rootInode), /a name that no file can have/);
      fs.close();
    }
  });

  it('with files larger than any disk gives no more than there is', async () => {
    const image = join(folder(), 'huge');
    writeFileSync(image, await populated(folder(), 'good', []));
    edit(image, 'set_inode_field /big size 0x7fffffffffffffff');
    const disk = TestDisk.on(image);
    try {
      await assert.rejects(disk.files.stat('/big'), /has a size of/);
      await assert.rejects(disk.files.read('/big'), /has a size of/);
      assert.equal((await disk.files.stat('/link')).size, 3000);
    } finally {
      await disk.dispose();
    }
  });

  it('that is cut short, empty or none is refused', async () => {
    const good = await populated(folder(), 'good', []);
    for (const [content, why] of [
      [good.subarray(0, 1_000_000), /shorter than the file system/],
      [Buffer.alloc(0), /not an ext4 file system/],
      [Buffer.alloc(4_000_000, 7), /not an ext4 file system/],
    ] as const) {
      const image = join(folder(), 'cut');
      writeFileSync(image, content);
      const disk = TestDisk.on(image);
      await assert.rejects(disk.files.stat('/'), why);
      await disk.dispose();
    }
    copyFileSync(join(folder(), 'good'), join(folder(), 'fine'));
    const fine = TestDisk.on(join(folder(), 'fine'));
    assert.equal((await fine.files.stat('/')).type, 'directory');
    await fine.dispose();
  });
});
