/** More files than are copied by themselves: their contents go by a thread. */
import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packLocal } from '../../../../../../src/backend/files/local/pack';
import { walkLocal } from '../../../../../../src/backend/files/local/tree';
import { unpackTar } from '../../../../../../src/backend/files/local/unpack/unpack';
import { encodeName, localPath } from '../../../../../../src/backend/machine/file-names';
import { encodeHeader, paddingOf, type TarEntry } from '../../../../../../src/backend/tar/header';
import { useTempFolder } from '../../../../../support/temp';

const count = 700;
const never = new AbortController().signal;
const plain = { uid: 0, gid: 0, linkName: '', type: 'file' } as const;
const contentOf = (n: number): string => `content ${n} `.repeat(n % 50);

interface Came {
  files: number;
  failed: Map<string, string>;
  bytes: number;
}

async function unpack(tar: readonly Buffer[], folder: string, signal = never): Promise<Came> {
  const came: Came = { files: 0, failed: new Map(), bytes: 0 };
  const report = {
    received: (bytes: number) => void (came.bytes += bytes),
    failed: (name: string, reason: string) => void came.failed.set(name, reason),
    lost() {},
  };
  const receive = async (take: (chunk: Buffer) => Promise<void> | undefined): Promise<void> => {
    for (const chunk of tar) await take(chunk);
  };
  came.files = await unpackTar(receive, { folder, renaming: { drop: 0, prefix: [] } }, { report, signal });
  return came;
}

const end = Buffer.alloc(1024);
function member(name: string, content: string, entry: Partial<TarEntry> = {}): Buffer {
  const size = Buffer.byteLength(content);
  const header = encodeHeader({ ...plain, name, size, mode: 0o640, mtimeMs: 1e12, ...entry });
  return Buffer.concat([header, Buffer.from(content), Buffer.alloc(paddingOf(size))]);
}

describe('many small files of this machine', () => {
  const folder = useTempFolder();
  const at = (...parts: string[]): string => join(folder(), ...parts);

  it('are unpacked with contents, modes and times', async () => {
    const modes = [0o600, 0o755, 0o444, 0o4755];
    const members = Array.from({ length: count }, (_, n) =>
      member(`d${n % 7}/f${n}`, contentOf(n), { mode: modes[n % 4] ?? 0, mtimeMs: (n - 300) * 1e9 }),
    );
    const came = await unpack([...members, end], folder());
    assert.deepEqual([came.files, came.failed.size], [count, 0]);
    for (let n = 0; n < count; n++) {
      const status = statSync(at(`d${n % 7}`, `f${n}`));
      assert.equal(readFileSync(at(`d${n % 7}`, `f${n}`), 'utf8'), contentOf(n));
      assert.equal(status.mode & 0o7777, (modes[n % 4] ?? 0) & 0o777);
      assert.equal(status.mtimeMs, (n - 300) * 1e9);
    }
  });

  it('fail one by one, and take the place of nothing', async () => {
    const members = Array.from({ length: count }, (_, n) => member(`f${n}`, contentOf(n)));
    members.splice(450, 0, member('f3', 'another'), member('f400', 'another'), member('f1/below', 'x'));
    const came = await unpack([...members, end], folder());
    assert.deepEqual([...came.failed.keys()].sort(), ['f1', 'f1/below', 'f3', 'f400']);
    assert.match(came.failed.get('f400') ?? '', /EEXIST/);
    assert.equal(came.files, count);
    assert.equal(readFileSync(at('f400'), 'utf8'), contentOf(400));
  });

  it('keep names that are no text, and refuse those that no file can have', async () => {
    const members = Array.from({ length: count }, (_, n) => member(`f${n}`, ''));
    members.push(
      member('byte \uef80', 'kept'),
      member(`${'x'.repeat(120)}\0y`, 'refused'),
      member('last', 'kept'),
    );
    const came = await unpack([...members, end], folder());
    assert.equal(readFileSync(localPath(at('byte \uef80')), 'utf8'), 'kept');
    assert.ok(lstatSync(Buffer.concat([Buffer.from(`${folder()}/`), encodeName('byte \uef80')])).isFile());
    assert.equal(readFileSync(at('last'), 'utf8'), 'kept');
    assert.equal(came.failed.size, 1);
  });

  it('are all written before an unpacking that breaks off ends', async () => {
    const members = Array.from({ length: count }, (_, n) => member(`f${n}`, contentOf(n)));
    const half = join(folder(), 'half');
    mkdirSync(half);
    await assert.rejects(unpack(members, half), /broke off/);
    rmSync(half, { recursive: true });
  });

  it('are packed as they are, and what changed meanwhile is named', async () => {
    mkdirSync(at('source'));
    for (let n = 0; n < count; n++) writeFileSync(at('source', `f${n}`), contentOf(n));
    const { nodes } = await walkLocal([{ source: at('source'), name: 'all' }], never);
    rmSync(at('source', 'f301'));
    truncateSync(at('source', 'f349'), 1);
    const failed = new Map<string, string>();
    const report = {
      sent() {},
      failed: ({ name }: { name: string }, reason: string) => void failed.set(name, reason),
      torn() {},
    };
    const source = packLocal(nodes, { uid: 0, gid: 0 }, report, never);
    const tar: Buffer[] = [];
    for (let chunk = await source.next(); chunk !== undefined; chunk = await source.next()) {
      tar.push(Buffer.from(chunk));
      source.release(chunk);
    }
    await source.close();
    assert.deepEqual([...failed].sort(), [
      ['all/f301', 'it is not there'],
      ['all/f349', 'it changed while it was read'],
    ]);
    mkdirSync(at('copy'));
    const came = await unpack(tar, at('copy'));
    assert.deepEqual([came.files, came.failed.size], [count - 2, 0]);
    for (let n = 0; n < count; n++) {
      if (n === 301 || n === 349) continue;
      assert.equal(readFileSync(at('copy/all', `f${n}`), 'utf8'), contentOf(n));
    }
  });

  it('are given up when whoever packs them stops', async () => {
    mkdirSync(at('source'));
    for (let n = 0; n < count; n++) writeFileSync(at('source', `f${n}`), 'x'.repeat(4000));
    const { nodes } = await walkLocal([{ source: at('source'), name: 'all' }], never);
    const source = packLocal(nodes, { uid: 0, gid: 0 }, { sent() {}, failed() {}, torn() {} }, never);
    await source.next();
    await source.close();
    assert.equal(await source.next(), undefined);
  });
});
