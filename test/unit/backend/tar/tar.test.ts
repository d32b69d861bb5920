import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import tar from 'tar-stream';
import { packLocal } from '../../../../src/backend/files/local/pack';
import { walkLocal } from '../../../../src/backend/files/local/tree';
import { unpackTar } from '../../../../src/backend/files/local/unpack/unpack';
import { encodeHeader, type TarEntry } from '../../../../src/backend/tar/header';
import { readableOf, takeAll } from '../../../../src/backend/tar/flow';
import { TarReader } from '../../../../src/backend/tar/read';
import type { TarVisitor } from '../../../../src/backend/tar/visitor';

const never = new AbortController().signal;
const quiet = { sent: () => undefined, failed: () => undefined, torn: () => undefined };
const plain: TarEntry = {
  name: 'f',
  type: 'file',
  size: 0,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtimeMs: 0,
  linkName: '',
};

async function readTar(source: Readable, visitor: TarVisitor): Promise<void> {
  const reader = new TarReader(visitor);
  await takeAll(source, (chunk) => reader.push(chunk));
  assert.ok(reader.ended, 'the tar ended too early');
}

describe('tars of local files', function () {
  this.timeout(20_000);
  let folder: string;
  const at = (...path: string[]): string => join(folder, ...path);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-tar-'));
    mkdirSync(at('in/deep'), { recursive: true });
    mkdirSync(at('out'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function pack(report = quiet): Promise<Buffer> {
    const tree = await walkLocal([{ source: at('in'), name: 'top' }], never);
    const parts: Buffer[] = [];
    for await (const part of readableOf(packLocal(tree.nodes, { uid: 1000, gid: 1001 }, report, never))) {
      parts.push(part as Buffer);
    }
    return Buffer.concat(parts);
  }

  it('are what tar reads: names, sizes, modes, times, owners, links', async () => {
    const long = 'n'.repeat(150);
    writeFileSync(at('in', long), 'long');
    writeFileSync(at('in/deep/big'), Buffer.alloc(3_000_001, 'x'));
    writeFileSync(at('in/deep/empty'), '');
    writeFileSync(Buffer.concat([Buffer.from(at('in/')), Buffer.from([0xff])]), 'odd');
    symlinkSync('deep/big', at('in/link'));
    chmodSync(at('in/deep/empty'), 0o4751);
    utimesSync(at('in/deep/empty'), 1e9, 1e9);
    const input = await pack();
    execFileSync('tar', ['-C', at('out'), '--no-same-owner', '-xpf', '-'], { input });
    const status = statSync(at('out/top/deep/empty'));
    assert.deepEqual([status.mode & 0o7777, status.mtimeMs], [0o751, 1e12]);
    const lines = execFileSync('tar', ['--numeric-owner', '-tvf', '-'], { input, encoding: 'utf8' });
    assert.deepEqual(new Set(lines.match(/\d+\/\d+/g)), new Set(['1000/1001']));
    assert.equal(readFileSync(at('out/top', long), 'utf8'), 'long');
    assert.equal(statSync(at('out/top/deep/big')).size, 3_000_001);
    assert.equal(readlinkSync(at('out/top/link')), 'deep/big');
    assert.ok(
      readdirSync(at('out/top'), { encoding: 'buffer' }).some((name) => name.equals(Buffer.from([0xff]))),
    );
  });

  it('tell what can not be read, and what changed on the way', async () => {
    writeFileSync(at('in/gone'), 'x');
    writeFileSync(at('in/short'), Buffer.alloc(2_500_000));
    execFileSync('mkfifo', [at('in/pipe')]);
    const tree = await walkLocal([{ source: at('in'), name: 'top' }], never);
    assert.deepEqual(
      tree.failed.map(({ path }) => path),
      [at('in/pipe')],
    );
    rmSync(at('in/gone'));
    writeFileSync(at('in/short'), 'now short');
    const failed: string[] = [];
    const torn: string[] = [];
    const report = {
      ...quiet,
      failed: (n: { name: string }) => failed.push(n.name),
      torn: (n: { name: string }) => torn.push(n.name),
    };
    const names: string[] = [];
    await readTar(readableOf(packLocal(tree.nodes, { uid: 0, gid: 0 }, report, never)), {
      entry: (entry) => void names.push(entry.name),
      large: (entry) => void names.push(entry.name),
    });
    assert.deepEqual(failed, ['top/gone']);
    assert.deepEqual([...new Set(torn)], ['top/short']);
    assert.deepEqual(names.sort(), ['top/', 'top/deep/', 'top/short']);
  });

  it('stop when they are cancelled', async () => {
    writeFileSync(at('in/big'), Buffer.alloc(20_000_000));
    const cancelling = new AbortController();
    const tree = await walkLocal([{ source: at('in'), name: 'top' }], never);
    const report = { ...quiet, sent: () => cancelling.abort() };
    for (const node of tree.nodes) {
      node.size = node.type === 'file' ? 100_000 : 0;
    }
    await assert.rejects(async () => {
      for await (const part of readableOf(
        packLocal([...tree.nodes, ...tree.nodes], { uid: 0, gid: 0 }, report, cancelling.signal),
      )) {
        assert.ok(part);
      }
    }, /abort/i);
  });

  it('are read in chunks of any size, of any maker', async () => {
    const maker = tar.pack();
    const long = `${'d/'.repeat(80)}${'n'.repeat(120)}`;
    maker.entry({ name: long, mode: 0o600, mtime: new Date(5000) }, 'content');
    maker.entry({ name: 'link', type: 'symlink', linkname: 'x'.repeat(130) });
    maker.entry({ name: 'big', size: 1_500_000 }, Buffer.alloc(1_500_000, 'b'));
    maker.finalize();
    const whole: Buffer[] = [];
    for await (const part of maker) {
      whole.push(part as Buffer);
    }
    const bytes = Buffer.concat(whole);
    for (const size of [1000, 4096, 65_536, bytes.length]) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
        bytes.subarray(n * size, (n + 1) * size),
      );
      const seen: [string, string, number][] = [];
      let large = 0;
      await readTar(Readable.from(chunks), {
        entry: (entry, content) => void seen.push([entry.name, entry.linkName, content.length]),
        large: () => ({
          piece: (piece) => {
            large += piece.length;
            return large % 2 === 0 ? undefined : Promise.resolve();
          },
          hole: () => assert.fail('no file is sparse'),
          end: () => Promise.resolve(),
        }),
      });
      assert.deepEqual(seen, [
        [long, '', 7],
        ['link', 'x'.repeat(130), 0],
      ]);
      assert.equal(large, 1_500_000);
    }
  });

  it('that are damaged are refused', async () => {
    const good = await pack();
    const bad = Buffer.from(good);
    bad[20] = 0x41;
    const visitor = { entry: () => undefined, large: () => undefined };
    await assert.rejects(readTar(Readable.from([bad]), visitor), /checksum/);
    await assert.rejects(readTar(Readable.from([good.subarray(0, 700)]), visitor), /too early/);
  });

  it('unpack nothing outside, through a link, or with the rights of others', async () => {
    const entries: [Partial<TarEntry>, string][] = [
      [{ name: '../evil' }, 'x'],
      [{ name: '/tmp/berth-evil' }, 'x'],
      [{ name: 'top/out', type: 'symlink', linkName: '/etc' }, ''],
      [{ name: 'top/out/passwd' }, 'through a link'],
      [{ name: 'top/up', type: 'symlink', linkName: '../../x' }, ''],
      [{ name: 'top/zigzag', type: 'symlink', linkName: 'a/../../../x' }, ''],
      [{ name: 'top/good', type: 'symlink', linkName: 'suid' }, ''],
      [{ name: 'top/suid', mode: 0o6755 }, 'x'],
      [{ name: 'top/same', type: 'link', linkName: 'top/suid' }, ''],
      [{ name: 'top/stolen', type: 'link', linkName: '../../etc/passwd' }, ''],
      [{ name: 'top/node', type: 'other' }, ''],
    ];
    const blocks = entries.flatMap(([entry, text]) => [
      encodeHeader({ ...plain, ...entry, size: text.length }),
      Buffer.from(text.padEnd(text === '' ? 0 : 512, '\0')),
    ]);
    const failed: string[] = [];
    const report = {
      received: () => undefined,
      lost: () => undefined,
      failed: (name: string) => failed.push(name),
    };
    const stream = Readable.from([Buffer.concat([...blocks, Buffer.alloc(1024)])]);
    const files = await unpackTar(
      (take) => takeAll(stream, take),
      { folder: at('out'), renaming: { drop: 0, prefix: [] } },
      { report, signal: never },
    );
    const expected = [
      '../evil',
      '/tmp/berth-evil',
      'top/stolen',
      'top/node',
      'top/out',
      'top/up',
      'top/zigzag',
    ];
    assert.deepEqual([...new Set(failed)].sort(), expected.sort());
    assert.deepEqual(readdirSync(folder).sort(), ['in', 'out']);
    assert.equal(statSync(at('out/top/suid')).mode & 0o7777, 0o755);
    assert.equal(readlinkSync(at('out/top/good')), 'suid');
    assert.equal(readFileSync(at('out/top/out/passwd'), 'utf8'), 'through a link');
    assert.equal(files, 4);
  });

  it('are read with extended headers of megabytes, and refused beyond', async () => {
    const read = async (size: number): Promise<TarEntry[]> => {
      const found: TarEntry[] = [];
      const xattrs = new Map([['user.big', Buffer.alloc(size)]]);
      const bytes = Buffer.concat([
        encodeHeader({ ...plain, name: 'n'.repeat(300), xattrs }),
        Buffer.alloc(1024),
      ]);
      const keep = (entry: TarEntry): undefined => void found.push(entry);
      await readTar(Readable.from([bytes]), { entry: keep, large: keep });
      return found;
    };
    const [entry] = await read(3_000_000);
    assert.deepEqual([entry?.name, entry?.refused], ['n'.repeat(300), ['user.big']]);
    await assert.rejects(read(9_000_000), /an extended header is too large/);
  });
});
