/** Changes taken over between two folders, by the real agent of each; what is the same afterwards, another program says. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { BerthError } from '../../../../../../src/api/errors';
import type { TakenChange, TakeOverResult } from '../../../../../../src/api/files/take-over';
import type { VolumeFiles } from '../../../../../../src/backend/files/volume-files';
import { checkTakeOver, TakeOver } from '../../../../../../src/backend/services/volumes/take-over/take-over';
import { TestContext } from '../../../../../support/test-context';
import { copyTree, expectedChanges, mutateTree } from '../../../../../support/files/compared-trees';
import { times } from '../../../../../support/soak';
import { TestDisk } from '../../../files/disk/harness';
import { hasCode, TestVolume } from '../../../files/agent/harness';
import { backwards, but, compare } from './harness';

const rounds = times(3, 6);

interface TakeOptions {
  overwrite?: boolean;
  context?: TestContext;
  /** What the target does otherwise. */
  to?: Partial<VolumeFiles>;
}

describe('services/volumes/take-over', function () {
  this.timeout(120_000);
  let source: TestVolume;
  let fork: TestVolume;
  const atSource = (...path: string[]): string => join(source.root, ...path);
  const atFork = (...path: string[]): string => join(fork.root, ...path);

  beforeEach(async () => {
    [source, fork] = [await TestVolume.create('source'), await TestVolume.create('fork')];
  });
  afterEach(async () => {
    assert.deepEqual(
      readdirSync(source.root).filter((name) => name.startsWith('.berth-')),
      [],
      'no stage is left',
    );
    await source.dispose();
    await fork.dispose();
  });

  const take = async (
    changes: readonly TakenChange[],
    { overwrite = false, context = new TestContext([]), to = {} }: TakeOptions = {},
  ): Promise<TakeOverResult> => {
    const ends = { from: { volume: 'fork', path: '/' }, to: { volume: 'source', path: '/' } };
    const request = { ...ends, changes: [...changes], overwrite };
    return new TakeOver(request, { from: fork.files, to: but(source.files, to) }, context).run();
  };
  const leftOf = ({ left }: TakeOverResult): Record<string, string> =>
    Object.fromEntries(left.map(({ path, why }) => [path, why]));

  for (let round = 0; round < rounds; round++) {
    const seed = Math.floor(Math.random() * 2 ** 31);
    it(`makes made-up folders the same, but for what it names (${seed})`, async () => {
      mutateTree(source.root, seed + 1, 120);
      copyTree(source.root, fork.root);
      mutateTree(fork.root, seed + 2, 40);
      const changes = await compare(source.files, fork.files);
      const result = await take(backwards(changes));
      const named = leftOf(result);
      assert.deepEqual(
        Object.entries(named).filter(([, why]) => why !== 'failed'),
        [],
      );
      const known = new Map(changes.map((change) => [change.path, change]));
      for (const [path, kind] of Object.entries(expectedChanges(source.root, fork.root))) {
        // Rights of programs do not pass between volumes, and attributes of folders that both have do not come.
        const isRights = ((known.get(path)?.after?.mode ?? 0) & 0o6000) !== 0;
        assert.ok(path in named || (kind === 'metadata' && isRights), `${path} is ${kind}`);
      }
      assert.equal(result.taken + result.removed + result.leftInAll, known.size);
    });
  }

  async function difference(): Promise<TakenChange[]> {
    mkdirSync(atSource('lib'));
    for (const name of ['same', 'changed', 'gone', 'lib/old']) writeFileSync(atSource(name), `${name} one\n`);
    copyTree(source.root, fork.root);
    writeFileSync(atFork('changed'), 'changed in the fork\n');
    chmodSync(atFork('changed'), 0o751);
    rmSync(atFork('gone'));
    mkdirSync(atFork('new', 'deep'), { recursive: true });
    chmodSync(atFork('new'), 0o711);
    writeFileSync(atFork('new', 'file'), 'new\n');
    writeFileSync(atFork('new', 'deep', 'other'), 'other\n');
    symlinkSync('../same', atFork('new', 'link'));
    return backwards(await compare(source.files, fork.files));
  }

  it('takes all over with modes, times and links, and counts it', async () => {
    const result = await take(await difference());
    assert.deepEqual(result, { taken: 6, removed: 1, bytes: 30, left: [], leftInAll: 0 });
    assert.equal(readFileSync(atSource('changed'), 'utf8'), 'changed in the fork\n');
    assert.equal(lstatSync(atSource('changed')).mode & 0o777, 0o751);
    assert.equal(lstatSync(atSource('changed')).mtimeMs, lstatSync(atFork('changed')).mtimeMs);
    assert.equal(lstatSync(atSource('new')).mode & 0o777, 0o711);
    assert.equal(readlinkSync(atSource('new', 'link')), '../same');
    assert.ok(!existsSync(atSource('gone')));
    assert.deepEqual(await compare(source.files, fork.files), []);
  });

  it('takes one file of a new folder, which is made as it is there', async () => {
    const changes = await difference();
    const result = await take(changes.filter(({ path }) => path === '/new/deep/other'));
    assert.equal(result.taken, 1);
    assert.deepEqual(readdirSync(atSource('new')), ['deep']);
    assert.equal(lstatSync(atSource('new')).mode & 0o777, 0o711);
    assert.equal(readFileSync(atSource('new', 'deep', 'other'), 'utf8'), 'other\n');
  });

  it('leaves what has changed there since, unless it is told to overwrite it', async () => {
    const changes = await difference();
    writeFileSync(atSource('changed'), 'mine\n');
    writeFileSync(atSource('gone'), 'mine\n');
    mkdirSync(atSource('new'));
    writeFileSync(atSource('new', 'mine'), 'mine\n');
    const result = await take(changes);
    const below = ['/new', '/new/file', '/new/link', '/new/deep', '/new/deep/other'];
    const left = ['/changed', '/gone', ...below].map((path) => [path, 'target']);
    assert.deepEqual(leftOf(result), Object.fromEntries(left));
    assert.deepEqual([result.left.length, result.leftInAll], [7, 7]);
    assert.equal(readFileSync(atSource('changed'), 'utf8'), 'mine\n');
    assert.equal(readFileSync(atSource('gone'), 'utf8'), 'mine\n');
    assert.deepEqual(readdirSync(atSource('new')), ['mine']);

    const again = await take(
      changes.filter(({ path }) => ['/changed', '/gone'].includes(path)),
      { overwrite: true },
    );
    assert.deepEqual([again.taken, again.removed, again.left], [1, 1, []]);
    assert.equal(readFileSync(atSource('changed'), 'utf8'), 'changed in the fork\n');
  });

  it('leaves what has changed since where it comes from, and takes the rest', async () => {
    const changes = await difference();
    writeFileSync(atFork('changed'), 'changed once more\n');
    rmSync(atFork('new', 'deep'), { recursive: true });
    writeFileSync(atFork('new', 'later'), 'not asked for\n');
    const result = await take(changes);
    assert.deepEqual(leftOf(result), {
      '/changed': 'source',
      '/new/deep': 'source',
      '/new/deep/other': 'source',
    });
    assert.equal(readFileSync(atSource('changed'), 'utf8'), 'changed one\n');
    assert.deepEqual(readdirSync(atSource('new')).sort(), ['file', 'link']);
  });

  it('takes a new folder of thousands of files, and copies no more than that where more is in it by now', async () => {
    const many = (name: string, from: number, to: number): void => {
      for (let file = from; file < to; file++) writeFileSync(atFork(name, `f${file}`), '');
    };
    for (const name of ['one', 'other']) mkdirSync(atFork(name));
    many('one', 0, 1_000);
    many('other', 0, 20);
    const changes = backwards(await compare(source.files, fork.files));
    many('one', 1_000, 1_500);
    many('other', 20, 11_000);
    const began = performance.now();
    const result = await take(changes);
    assert.deepEqual([result.taken, result.leftInAll], [1_001, 21]);
    assert.deepEqual(result.left[0], {
      ...{ path: '/other', why: 'source' },
      reason: 'it has changed: far more is in it than was compared',
    });
    assert.equal(new Set(result.left.map(({ path }) => path)).size, 21);
    assert.deepEqual([readdirSync(source.root), readdirSync(atSource('one')).length], [['one'], 1_000]);
    assert.ok(performance.now() - began < 60_000, `${performance.now() - began} ms`);
  });

  it('removes no folder that has more in it than was compared', async () => {
    mkdirSync(atSource('folder'));
    writeFileSync(atSource('folder', 'known'), '');
    const changes = backwards(await compare(source.files, fork.files));
    writeFileSync(atSource('folder', 'unknown'), '');
    const result = await take(changes);
    assert.deepEqual(result.left, [{ path: '/folder', why: 'failed', reason: 'something else is in it' }]);
    assert.deepEqual(readdirSync(atSource('folder')), ['unknown']);
  });

  it('leads through no folder that has become a link', async () => {
    const changes = await difference();
    mkdirSync(atSource('elsewhere'));
    symlinkSync('elsewhere', atSource('new'));
    const result = await take(changes.filter(({ path }) => path.startsWith('/new/')));
    assert.deepEqual(new Set(Object.values(leftOf(result))), new Set(['failed']));
    assert.deepEqual(readdirSync(atSource('elsewhere')), []);
  });

  it('turns a file into a folder, and a folder into a file', async () => {
    writeFileSync(atSource('one'), 'file\n');
    mkdirSync(atSource('other'));
    writeFileSync(atSource('other', 'in'), 'in\n');
    mkdirSync(atFork('one'));
    writeFileSync(atFork('one', 'in'), 'in\n');
    writeFileSync(atFork('other'), 'file\n');
    const result = await take(backwards(await compare(source.files, fork.files)));
    assert.deepEqual(result.left, []);
    assert.deepEqual(await compare(source.files, fork.files), []);
  });

  it('puts back what was there where another kind of file can not take its place', async () => {
    writeFileSync(atSource('one'), 'mine\n');
    mkdirSync(atSource('other'));
    chmodSync(atSource('other'), 0o711);
    mkdirSync(atFork('one'));
    writeFileSync(atFork('one', 'in'), 'in\n');
    writeFileSync(atFork('other'), 'file\n');
    const changes = backwards(await compare(source.files, fork.files));
    const result = await take(changes, {
      to: {
        rename: (from, to, options) =>
          ['/one', '/other'].includes(to) && !from.includes('/aside-')
            ? Promise.reject(new BerthError('path_exists', 'It is there.'))
            : source.files.rename(from, to, options),
      },
    });
    assert.deepEqual(leftOf(result), { '/one': 'failed', '/one/in': 'failed', '/other': 'failed' });
    assert.equal(readFileSync(atSource('one'), 'utf8'), 'mine\n');
    assert.equal(lstatSync(atSource('other')).mode & 0o777, 0o711);

    writeFileSync(atSource('other', 'since'), 'mine\n');
    const again = await take(changes);
    assert.deepEqual(again.left, [{ path: '/other', why: 'failed', reason: 'something else is in it' }]);
    assert.deepEqual([again.taken, readdirSync(atSource('other'))], [2, ['since']]);
  });

  it('loses nothing where something else comes into the place of what goes', async () => {
    writeFileSync(atSource('one'), 'mine\n');
    mkdirSync(atFork('one'));
    const result = await take(backwards(await compare(source.files, fork.files)), {
      to: {
        rename: async (from, to, options) => {
          if (to === '/one' && !from.includes('/aside-')) writeFileSync(atSource('one'), 'another\n');
          return source.files.rename(from, to, options);
        },
      },
    });
    const reason = 'something else came there meanwhile; what was there before is "/one.before-1" now';
    assert.deepEqual(result.left, [{ path: '/one', why: 'failed', reason }]);
    assert.equal(readFileSync(atSource('one'), 'utf8'), 'another\n');
    assert.equal(readFileSync(atSource('one.before-1'), 'utf8'), 'mine\n');
  });

  it('leaves what could not be written to the disk, and takes the rest', async () => {
    await difference();
    mkdirSync(atFork('also'));
    writeFileSync(atFork('also', 'changed'), 'in another folder of the stage\n');
    mkdirSync(atSource('also'));
    const changes = backwards(await compare(source.files, fork.files));
    const result = await take(changes, {
      to: {
        merge: async (stage, target, policy) => {
          await source.files.remove(`${stage}/1`, { recursive: true });
          const merged = await source.files.merge(stage, target, policy);
          return { ...merged, failed: [{ path: '/1', reason: 'the disk is broken' }] };
        },
      },
    });
    const [left, ...others] = result.left;
    assert.deepEqual(others, []);
    assert.deepEqual([left?.why, left?.reason], ['failed', 'the disk is broken']);
    assert.equal(result.taken, 6);
  });

  it('has changed nothing when it is cancelled while files are copied', async () => {
    const changes = await difference();
    const context = new TestContext([]);
    context.onStep = (name) => name === 'place' && context.cancelling.abort();
    await assert.rejects(take(changes, { context }), hasCode('cancelled'));
    assert.deepEqual(readdirSync(source.root).sort(), ['changed', 'gone', 'lib', 'same']);
    assert.equal(readFileSync(atSource('changed'), 'utf8'), 'changed one\n');
  });

  it('takes thousands of changed files, one by one', async () => {
    mkdirSync(atSource('many'));
    for (let file = 0; file < 1_100; file++) writeFileSync(atSource('many', `f${file}`), 'one\n');
    copyTree(source.root, fork.root);
    for (let file = 0; file < 1_100; file++) writeFileSync(atFork('many', `f${file}`), 'another\n');
    const began = performance.now();
    const result = await take(backwards(await compare(source.files, fork.files)));
    assert.deepEqual([result.taken, result.leftInAll], [1_100, 0]);
    assert.ok(performance.now() - began < 60_000, `${performance.now() - began} ms`);
  });

  it('takes to a disk what comes from a folder', async () => {
    const changes = await difference();
    const folder = mkdtempSync(join(tmpdir(), 'berth-take-'));
    const disk = await TestDisk.create(folder, { sizeMiB: 64 });
    try {
      const stage = await disk.files.stage();
      const tar = execFileSync('tar', ['-C', source.root, '--format=pax', '-cf', '-', '.']);
      await disk.files.putTar(stage, Readable.from([tar]));
      await disk.files.merge(stage, '/', 'overwrite');
      const one = changes.filter(({ path }) => path === '/new/deep/other');
      const ends = { from: { volume: 'fork', path: '/' }, to: { volume: 'disk', path: '/' } };
      const run = (some: readonly TakenChange[]): Promise<TakeOverResult> =>
        new TakeOver(
          { ...ends, changes: [...some] },
          { from: fork.files, to: disk.files },
          new TestContext([]),
        ).run();
      assert.deepEqual((await run(one)).left, []);
      const rest = backwards(await compare(disk.files, fork.files));
      const result = await run(rest);
      assert.deepEqual([result.left, await compare(disk.files, fork.files)], [[], []]);
      assert.equal((await disk.files.stat('/new')).mode, 0o711);
    } finally {
      await disk.dispose();
      rmSync(folder, { recursive: true });
    }
  });

  it('refuses a folder that is to come to itself', () => {
    const place = { volume: 'a', path: '/x' };
    assert.throws(
      () => checkTakeOver({ from: place, to: { ...place, path: '/x/' }, changes: [] }),
      hasCode('bad_request'),
    );
  });
});
