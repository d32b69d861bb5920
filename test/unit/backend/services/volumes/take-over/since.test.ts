/** Changes taken over where something has happened since they were compared, or happens meanwhile; and taken back. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { BerthError } from '../../../../../../src/api/errors';
import type { TakenChange, TakeOverResult } from '../../../../../../src/api/files/take-over';
import type { VolumeFiles } from '../../../../../../src/backend/files/volume-files';
import { TakeOver } from '../../../../../../src/backend/services/volumes/take-over/take-over';
import { takenBack } from '../../../../../../src/commands/compare/taken';
import { TestContext } from '../../../../../support/test-context';
import { copyTree } from '../../../../../support/files/compared-trees';
import { hasCode, TestVolume } from '../../../files/agent/harness';
import { backwards, but, compare } from './harness';

describe('services/volumes/take-over: since then', function () {
  this.timeout(120_000);
  let source: TestVolume;
  let fork: TestVolume;
  let kept: TestVolume;
  const atSource = (...path: string[]): string => join(source.root, ...path);
  const atFork = (...path: string[]): string => join(fork.root, ...path);

  beforeEach(async () => {
    source = await TestVolume.create('source');
    fork = await TestVolume.create('fork');
    kept = await TestVolume.create('kept');
  });
  afterEach(() => Promise.all([source, fork, kept].map((volume) => volume.dispose())));

  const differences = async (): Promise<TakenChange[]> => backwards(await compare(source.files, fork.files));
  const take = (
    changes: readonly TakenChange[],
    {
      from = fork,
      to = {},
      overwrite = false,
    }: { from?: TestVolume; to?: Partial<VolumeFiles>; overwrite?: boolean } = {},
  ): Promise<TakeOverResult> =>
    new TakeOver(
      {
        from: { volume: from.volume, path: '/' },
        to: { volume: 'source', path: '/' },
        changes: [...changes],
        overwrite,
      },
      { from: from.files, to: but(source.files, to) },
      new TestContext([]),
    ).run();

  it('takes back what was taken over, and nothing that was there before', async () => {
    for (const name of ['same', 'changed', 'gone']) writeFileSync(atSource(name), `${name} one\n`);
    copyTree(source.root, fork.root);
    writeFileSync(atFork('changed'), 'changed in the fork\n');
    rmSync(atFork('gone'));
    for (const folder of ['new', 'both']) {
      mkdirSync(atFork(folder));
      for (const name of ['one', 'other']) writeFileSync(atFork(folder, name), `${name}\n`);
    }
    const changes = await differences();
    // Somebody else has brought the very same folder there.
    mkdirSync(atSource('both'));
    copyTree(atFork('both'), atSource('both'));
    copyTree(source.root, kept.root);
    const result = await take(changes);
    assert.deepEqual([result.taken, result.removed, result.leftInAll], [4, 1, 3]);
    // As where it is not known what was left.
    const back = await take(takenBack(changes, []), { from: kept });
    assert.deepEqual(await compare(source.files, kept.files), []);
    assert.deepEqual(back.left.map(({ path, why }) => [path, why]).sort(), [
      ['/both', 'source'],
      ['/both/one', 'source'],
      ['/both/other', 'source'],
    ]);
  });

  it('overwrites what is in a folder that is there by now, and nothing else in it', async () => {
    mkdirSync(atFork('new', 'deep'), { recursive: true });
    for (const name of ['new/one', 'new/other', 'new/deep/in']) writeFileSync(atFork(name), 'fork\n');
    const changes = await differences();
    mkdirSync(atSource('new'));
    for (const name of ['one', 'mine']) writeFileSync(atSource('new', name), 'mine\n');
    assert.equal((await take(changes)).leftInAll, 5);
    const result = await take(changes, { overwrite: true });
    assert.deepEqual([result.taken, result.left], [5, []]);
    assert.deepEqual(readdirSync(atSource('new')).sort(), ['deep', 'mine', 'one', 'other']);
    const texts = ['mine', 'one'].map((name) => readFileSync(atSource('new', name), 'utf8'));
    assert.deepEqual(texts, ['mine\n', 'fork\n']);
  });

  it('says what was done by then where it fails half-way', async () => {
    for (const name of ['a', 'b', 'gone']) writeFileSync(atSource(name), 'one\n');
    copyTree(source.root, fork.root);
    for (const name of ['a', 'b']) writeFileSync(atFork(name), 'changed\n');
    rmSync(atFork('gone'));
    const changes = await differences();
    const to: Partial<VolumeFiles> = {
      rename: (from, target, options) =>
        target === '/b'
          ? Promise.reject(new BerthError('runtime_unavailable', 'The engine is away', { hint: 'Start it.' }))
          : source.files.rename(from, target, options),
    };
    await assert.rejects(take(changes, { to }), (error: unknown) => {
      assert.ok(hasCode('runtime_unavailable')(error) && error instanceof BerthError);
      const said = 'The engine is away. By then 1 files and folders were taken over, 1 deleted.';
      assert.deepEqual([error.message, error.hint], [said, 'Start it.']);
      return true;
    });
    assert.equal(readFileSync(atSource('a'), 'utf8'), 'changed\n');
  });

  it('changes nothing of a folder that it leaves', async () => {
    for (const name of ['alike', 'owned', 'since']) {
      mkdirSync(atSource(name), 0o755);
      chmodSync(atSource(name), 0o755);
    }
    copyTree(source.root, fork.root);
    for (const name of ['alike', 'owned', 'since']) chmodSync(atFork(name), 0o711);
    chownSync(atFork('owned'), 12, 34);
    const changes = await differences();
    chmodSync(atSource('since'), 0o700);
    const result = await take(changes);
    assert.deepEqual(result.left.map(({ path, why }) => [path, why]).sort(), [
      ['/owned', 'failed'],
      ['/since', 'target'],
    ]);
    const modes = ['alike', 'owned', 'since'].map((name) => lstatSync(atSource(name)).mode & 0o777);
    assert.deepEqual(modes, [0o711, 0o755, 0o700]);
    assert.equal(result.taken, 1);
  });

  it('leaves links that lead elsewhere since, on either side', async () => {
    for (const name of ['x', 'y']) writeFileSync(atSource(name), '');
    copyTree(source.root, fork.root);
    for (const name of ['gone', 'gone-too']) symlinkSync('x', atSource(name));
    for (const name of ['new', 'new-too']) symlinkSync('x', atFork(name));
    symlinkSync('x', atSource('kind'));
    writeFileSync(atFork('kind'), '');
    mkdirSync(atFork('folder'));
    symlinkSync('x', atFork('folder', 'in'));
    const changes = await differences();
    const turn = (path: string): void => {
      rmSync(path);
      symlinkSync('y', path);
    };
    for (const path of [atSource('gone'), atFork('new'), atSource('kind'), atFork('folder', 'in')])
      turn(path);
    const result = await take(changes);
    assert.deepEqual(result.left.map(({ path, why }) => [path, why]).sort(), [
      ['/folder/in', 'source'],
      ['/gone', 'target'],
      ['/kind', 'target'],
      ['/new', 'source'],
    ]);
    assert.deepEqual(readdirSync(source.root).sort(), ['folder', 'gone', 'kind', 'new-too', 'x', 'y']);
    assert.deepEqual([readlinkSync(atSource('gone')), readlinkSync(atSource('new-too'))], ['y', 'x']);
    assert.deepEqual(readdirSync(atSource('folder')), []);
  });

  it('holds links whose targets it was not told against all else that is known', async () => {
    for (const name of ['gone', 'gone-too', 'longer']) symlinkSync('nowhere', atSource(name));
    const changes = await differences();
    const untold = changes.map(({ to, ...each }) => {
      assert.equal(to?.target, 'nowhere');
      const { target: _, ...facts } = to;
      return { ...each, to: facts };
    });
    for (const [name, target] of [
      ['gone', 'another'],
      ['longer', 'elsewhere'],
    ] as const) {
      rmSync(atSource(name));
      symlinkSync(target, atSource(name));
    }
    const result = await take(untold);
    assert.deepEqual(result.left.map(({ path, why }) => [path, why]).sort(), [
      ['/gone', 'target'],
      ['/longer', 'target'],
    ]);
    assert.ok(!existsSync(atSource('gone-too')) && lstatSync(atSource('gone')).isSymbolicLink());
  });
});
