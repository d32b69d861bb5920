import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { Disks } from '../../../../../../src/backend/drivers/microvms/disks/disk-store';
import type { HolderLookup } from '../../../../../../src/backend/drivers/microvms/parts';
import { failure } from '../../../../../support/errors';
import { FakeFiles } from '../../../../../support/fakes/fake-files';
import { fillDisk, mountSmallDisk, unmount } from '../../../../../support/files/small-disk';
import { runProgram } from '../../../../../support/programs';
import { skipWithout } from '../../../../../support/skip';
import { useTempFolder } from '../../../../../support/temp';
import { agentDir } from '../../../files/agent/harness';
import { assertClean } from '../../../files/disk/harness';

const over = { create: true, overwrite: true };
const holder = { workspace: 'one', runtime: 'workspace-one', readOnly: false };
const id = '0123456789ab';
const program = async (name: string, argv: string[]): Promise<string> =>
  (await runProgram(name, argv)).stdout;
const quiet = () => ({ signal: new AbortController().signal, report: () => undefined });

describe('snapshots of disks', function () {
  this.timeout(60_000);
  let disks: Disks;
  let running: Set<string>;
  let copyHeld: HolderLookup['copyHeld'];
  const home = useTempFolder();
  const ids = (): string[] =>
    readdirSync(join(home(), 'snapshots')).map((name) => name.replace(/\.ext4$/, ''));
  const data = (): string => join(home(), 'snapshots', `${id}.ext4`);

  beforeEach(async () => {
    running = new Set();
    copyHeld = () => Promise.reject(new Error('nothing is copied here'));
    disks = new Disks({
      ...{ home: home(), agentDirectory: agentDir, startMs: 0, writeWaitMs: 300 },
      holders: {
        isGone: (runtime) => Promise.resolve(!running.has(runtime)),
        stateOf: () => Promise.resolve('running'),
        liveFiles: () => Promise.resolve(new FakeFiles('live')),
        copyHeld: (...asked) => copyHeld(...asked),
      },
    });
    await disks.create({ name: 'data', sizeMiB: 32 });
    await write('one');
  });
  afterEach(() => disks.close());

  const write = async (content: string): Promise<void> => {
    await (await disks.files('data')).write('/a', Buffer.from(content), over);
  };
  const read = async (files = disks.files('data')): Promise<string> => text(await (await files).read('/a'));

  it('are held against what they were, and not read twice', async () => {
    await disks.snapshots.create('data', id, quiet());
    const seal = await disks.snapshots.seal(id, quiet());
    const check = (full: boolean) => disks.snapshots.verify(id, { full, seal }, quiet());
    assert.deepEqual(await check(false), { checked: 1, read: 0, damaged: 0, problems: [], seal });
    assert.deepEqual(await check(true), { checked: 1, read: 1, damaged: 0, problems: [], seal });
    const image = readFileSync(data());
    const at = image.indexOf('one');
    chmodSync(data(), 0o600);
    const file = openSync(data(), 'r+');
    writeSync(file, 'onf', at);
    closeSync(file);
    const flipped = await check(false);
    assert.deepEqual(flipped, {
      ...{ checked: 1, read: 1, damaged: 1 },
      problems: [{ path: '/', what: 'is not what it was when it was made' }],
      seal: { digest: seal.digest },
    });
    // Where nothing was noted when it was made, it says so, and is held against what it is now from then on.
    const first = await disks.snapshots.verify(id, { full: false }, quiet());
    assert.deepEqual([first.read, first.damaged, typeof first.seal?.since], [1, 0, 'string']);
    const next = await disks.snapshots.verify(id, { full: true, seal: first.seal }, quiet());
    assert.deepEqual(next.seal, first.seal);
    const old = { ...first.seal, digest: 'another' };
    const other = await disks.snapshots.verify(id, { full: true, seal: old }, quiet());
    assert.equal(other.problems[0]?.what, `is not what it was when it was read at ${first.seal?.since}`);
    // The superblock: what is no file system any more is said as well.
    const again = openSync(data(), 'r+');
    writeSync(again, Buffer.alloc(4096), 0, 4096, 1024);
    closeSync(again);
    const broken = await disks.snapshots.verify(id, { full: false }, quiet());
    assert.match(broken.problems[0]?.what ?? '', /has errors in its file system/);
  });

  it('are what the disk was, sound, with its holes, and never change', async () => {
    const facts = await disks.snapshots.create('data', id, quiet());
    assert.deepEqual([facts.kind, facts.sizeMiB], ['disk', 32]);
    assert(facts.usedBytes > 0 && facts.heldMs >= 0);
    assertClean(data());
    assert.equal(statSync(data()).mode & 0o777, 0o400);
    assert((await disks.snapshots.heldBytes(id))! < 8 * 1024 * 1024, 'holes are holes');
    const before = readFileSync(data());
    await write('two');
    const files = disks.snapshots.files(id);
    assert.equal(await read(files), 'one');
    assert.equal(await read(), 'two');
    const error = await failure((await files).write('/a', Buffer.from('x'), over), 'read_only');
    assert.match(error.message, /A snapshot never changes\./);
    assert.deepEqual(readFileSync(data()), before, 'not a byte of it, though it was opened');
    assert.deepEqual(readdirSync(join(home(), 'snapshots')), [`${id}.ext4`], 'and nothing lies beside it');
  });

  it('take the place of the disk, with the size that it had then', async () => {
    await disks.snapshots.create('data', id, quiet());
    await write('two');
    await disks.resize('data', 64);
    await disks.snapshots.restore(id, 'data', quiet());
    assert.equal(await read(), 'one');
    assert.equal((await disks.inspect('data'))!.sizeMiB, 32);
    assertClean(join(home(), 'volumes', 'data.ext4'));
    await write('three');
    assert.equal(await read(disks.snapshots.files(id)), 'one', 'they share nothing that changes');
  });

  it('of a disk that somebody has are what that one copies, made fit, and take no place of it', async () => {
    await disks.snapshots.create('data', id, quiet());
    running.add('workspace-one');
    await disks.attach('data', holder);
    const disk = join(home(), 'volumes', 'data.ext4');
    const before = readFileSync(disk);
    const asked: string[] = [];
    copyHeld = async (runtime, volume, draft) => {
      asked.push(runtime, volume);
      copyFileSync(disk, draft);
      // As a guest leaves it that has it mounted.
      await program('debugfs', ['-w', '-R', 'feature needs_recovery', draft]);
      assert.match(await program('dumpe2fs', ['-h', draft]), /needs_recovery/);
      return { heldMs: 12, isShared: false, notes: ['as after a power cut'] };
    };
    const facts = await disks.snapshots.create('data', 'ba9876543210', quiet());
    assert.deepEqual(asked, ['workspace-one', 'data']);
    assert.deepEqual(
      [facts.heldMs, facts.notes, facts.sizeMiB, facts.isShared],
      [12, ['as after a power cut'], 32, false],
    );
    const made = join(home(), 'snapshots', 'ba9876543210.ext4');
    assert.equal(statSync(made).mode & 0o777, 0o400);
    assert.doesNotMatch(await program('dumpe2fs', ['-h', made]), /needs_recovery/);
    assertClean(made);
    assert.equal(await read(disks.snapshots.files('ba9876543210')), 'one');
    copyHeld = (_runtime, _volume, draft) => {
      copyFileSync(disk, draft);
      return Promise.reject(new Error('it ended'));
    };
    await assert.rejects(disks.snapshots.create('data', 'aaaaaaaaaaaa', quiet()), /it ended/);
    const error = await failure(() => disks.snapshots.restore(id, 'data', quiet()), 'in_use');
    assert.deepEqual(
      [error.message, error.hint],
      ['volume "data" is attached to running workspace "one"', 'Stop one first.'],
    );
    assert.deepEqual(readFileSync(disk), before);
    assert.deepEqual(ids().sort(), [id, 'ba9876543210']);
  });

  it('have no files that were deleted while a process had them open, which are no damage', async () => {
    await (await disks.files('data')).write('/open', randomBytes(200_000), over);
    await disks.close();
    const disk = join(home(), 'volumes', 'data.ext4');
    // As ext4 leaves it (Documentation/filesystems/ext4/orphan.rst).
    const orphan = async (path: string, alter: readonly string[]): Promise<void> => {
      const inode = /Inode: (\d+)/.exec(await program('debugfs', ['-R', 'stat /open', path]))?.[1] ?? '';
      const steps = ['unlink /open', `sif <${inode}> links_count 0`, `ssv last_orphan ${inode}`, ...alter];
      for (const step of steps) {
        await program('debugfs', ['-w', '-R', step, path]);
      }
    };
    const damage = async (of: string) =>
      (await disks.snapshots.verify(of, { full: true }, quiet())).problems.map(({ what }) => what);
    running.add('workspace-one');
    await disks.attach('data', holder);
    copyHeld = async (_runtime, _volume, draft) => {
      copyFileSync(disk, draft);
      await orphan(draft, ['feature needs_recovery']);
      return { heldMs: 1, isShared: false, notes: [] };
    };
    const facts = await disks.snapshots.create('data', id, quiet());
    assert.deepEqual([facts.notes, await damage(id)], [undefined, []]);
    assert.equal(await read(disks.snapshots.files(id)), 'one');
    // Nor of one that a guest has left which was killed.
    running.clear();
    await disks.release(holder);
    await orphan(disk, []);
    const before = readFileSync(disk);
    const stopped = await disks.snapshots.create('data', 'ba9876543210', quiet());
    assert.deepEqual([stopped.notes, await damage('ba9876543210')], [undefined, []]);
    assert.deepEqual(readFileSync(disk), before, 'the disk itself is left alone');
    // What is more than that is told, and kept.
    copyHeld = async (_runtime, _volume, draft) => {
      copyFileSync(disk, draft);
      await program('debugfs', ['-w', '-R', 'clri <2>', draft]);
      return { heldMs: 1, isShared: false, notes: [] };
    };
    running.add('workspace-one');
    await disks.attach('data', holder);
    const broken = await disks.snapshots.create('data', 'aaaaaaaaaaaa', quiet());
    assert.match(broken.notes?.join() ?? '', /^Its file system has errors: /);
    assert.equal((await damage('aaaaaaaaaaaa')).length, 1);
  });

  it('are given up without a trace, and leave the disk as it was', async () => {
    await disks.snapshots.create('data', id, quiet());
    await write('two');
    const given = new AbortController();
    const job = { signal: given.signal, report: () => given.abort() };
    await assert.rejects(disks.snapshots.create('data', 'ba9876543210', job), { name: 'AbortError' });
    await assert.rejects(disks.snapshots.restore(id, 'data', job), { name: 'AbortError' });
    assert.deepEqual(readdirSync(join(home(), 'snapshots')), [`${id}.ext4`]);
    assert.deepEqual(readdirSync(join(home(), 'volumes')).sort(), ['data.ext4', 'index.json']);
    assert.equal(await read(), 'two');
  });

  it('are not begun where they have no room, and given up where it goes meanwhile', async function () {
    const folder = join(home(), 'snapshots');
    mkdirSync(folder, { mode: 0o700 });
    if (!mountSmallDisk(folder, '9m', 0o700)) {
      skipWithout(this, 'the right to mount a small disk');
    }
    try {
      const large = randomBytes(10 * 1024 * 1024);
      await (await disks.files('data')).write('/large', large, over);
      const needs = await failure(disks.snapshots.create('data', id, quiet()), 'no_space');
      assert.match(
        needs.message,
        /^No snapshot of data was made: it needs 1\d MiB at .*, where 9\.0 MiB are free\.$/,
      );
      await (await disks.files('data')).write('/large', large.subarray(0, 4 * 1024 * 1024), over);
      const job = { ...quiet(), report: () => fillDisk(folder) };
      const full = await failure(disks.snapshots.create('data', id, job), 'no_space');
      assert.equal(full.message, 'No snapshot of data was made: the disk of this machine is full.');
      assert.deepEqual(readdirSync(folder), ['filler']);
      assert.equal(await read(), 'one');
    } finally {
      unmount(folder);
    }
  });

  it('are of what was there before a restore as well, which is not begun where that can not be noted', async () => {
    await disks.snapshots.create('data', id, quiet());
    await write('two');
    const before = 'ba9876543210';
    const kept = (): Promise<void> => Promise.reject(new Error('it can not be noted'));
    await assert.rejects(
      disks.snapshots.restore(id, 'data', quiet(), { id: before, kept }),
      /can not be noted/,
    );
    assert.deepEqual([await read(), ids().sort()], ['two', [id, before]], 'whoever asked removes it');
    let noted = '';
    const note = async (): Promise<void> => void (noted = await read(disks.snapshots.files(before)));
    await disks.snapshots.remove(before);
    await disks.snapshots.restore(id, 'data', quiet(), { id: before, kept: note });
    assert.deepEqual([noted, await read()], ['two', 'one']);
  });

  it('outlive their volume, and are gone when they are removed, also while they are read', async () => {
    await disks.snapshots.create('data', id, quiet());
    await disks.remove('data');
    assert.equal(await read(disks.snapshots.files(id)), 'one');
    await disks.snapshots.remove(id);
    assert(!existsSync(data()));
    assert.equal(await disks.snapshots.heldBytes(id), undefined);
    await failure(disks.snapshots.files(id), 'not_found');
    await disks.snapshots.remove(id);
  });

  it('never take the place of one another', async () => {
    await disks.snapshots.create('data', id, quiet());
    copyFileSync(data(), join(home(), 'kept'));
    await write('two');
    await failure(disks.snapshots.create('data', id, quiet()), 'path_exists');
    assert.deepEqual(readFileSync(data()), readFileSync(join(home(), 'kept')));
  });
});
