/** Snapshots of a disk, by the built program; also when the engine is killed while one is made or restored. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Snapshot } from '../../../src/api';
import { finished, Berth } from './harness';
import { times } from '../../support/soak';

const kills = times(2, 8);

describe('berth snapshot', function () {
  this.timeout(300_000);
  const berth = new Berth();
  const volume = `${berth.prefix}-data`;
  const local = (): string => join(berth.folder, 'local');
  after(() => berth.dispose());

  const put = async (content: string): Promise<void> => {
    writeFileSync(local(), content);
    await berth.ok('cp', '--force', local(), `volume:${volume}:/a`);
  };
  const content = (): Promise<string> => berth.ok('cat', `volume:${volume}:/a`);
  const list = (): Promise<Snapshot[]> => berth.json<Snapshot[]>('snapshot', 'list', volume);

  it('keeps a volume as it is, puts it back, and undoes that', async () => {
    await berth.ok('volume', 'create', volume, '--kind', 'disk', '--size', '256m');
    assert.match(
      await berth.ok('snapshot', 'list', volume),
      /has no snapshots yet\. Make one: berth snapshot create/,
    );
    await put('one');
    const words = ['--name', 'first', '--description', 'as it came'];
    assert.match(await berth.ok('snapshot', 'create', volume, ...words), /^Snapshot first of .* is made: /);
    await put('two');
    assert.equal(await berth.ok('cat', `snapshot:${volume}/first:/a`), 'one');
    const back = await berth.ok('snapshot', 'restore', volume, 'first', '--yes');
    assert.equal(await content(), 'one');
    const undo = /To undo: berth snapshot restore \S+ (\w+)/.exec(back)?.[1] ?? '';
    assert.deepEqual(
      (await list()).map(({ id, name, reason }) => [id === undo, name, reason]),
      [
        [true, undefined, 'before-restore'],
        [false, 'first', 'manual'],
      ],
    );
    await berth.ok('snapshot', 'restore', volume, undo, '--yes', '--no-keep');
    assert.equal(await content(), 'two');
    assert.equal((await list()).length, 2, 'as nothing was to be kept');
    assert.match(await berth.ok('snapshot', 'show', volume, 'first'), /^description +as it came$/m);
  });

  it('says what has changed since, also against files of another kind of volume', async () => {
    const since = await berth.run(['snapshot', 'diff', volume, 'first', '--patch']);
    assert.equal(since.code, 1);
    assert.match(since.stdout, /\n@@ -1 \+1 @@\n-one\n\\ No newline at end of file\n\+two\n/);
    const other = `${berth.prefix}-other`;
    await berth.ok('volume', 'create', other);
    await berth.ok('cp', `volume:${volume}:/a`, `volume:${other}:/a`);
    const [stat, mixed] = [
      await berth.run(['diff', `snapshot:${volume}/first`, `volume:${other}`, '--stat']),
      await berth.run(['diff', `volume:${volume}:/a`, `volume:${other}:/a`]),
    ];
    assert.match(stat.stdout, /^M a +\| 3 B -> 3 B$/m);
    assert.deepEqual([mixed.code, mixed.stdout], [0, '']);
    await berth.ok('volume', 'delete', other, '--yes');
  });

  it('reads them, and says that they are as they were', async () => {
    const words = await berth.ok('snapshot', 'verify', volume, '--all', '--full');
    assert.match(words, /^first is as it was when it was made: 1 checked, 1 read\.$/m);
    assert.match(await berth.ok('snapshot', 'verify', volume, 'first'), /: 1 checked, 0 read\.$/m);
    assert.match(await berth.ok('snapshot', 'show', volume, 'first'), /^verified +\S/m);
  });

  it('says what is wrong, and changes nothing', async () => {
    const cases: [argv: string[], message: RegExp][] = [
      [['create', volume, '--name', 'first'], /has a snapshot first already/],
      [['create', volume, '--name', 'Not A Name'], /"name" does not have the right form/],
      [['create', volume, '--name', '0123456789ab'], /looks like the id of a snapshot/],
      [['create', volume, '--description', 'two\nlines'], /description/],
      [['create', `${volume}-none`], /There is no volume/],
      [['restore', volume, 'first'], /Restore .*\? .*--yes|--yes/],
      [['restore', volume, 'none', '--yes'], /has no snapshot none.*snapshot list/s],
      [['restore', volume, '../first', '--yes'], /has no snapshot|does not have/],
      [['delete', volume, 'none', '--yes'], /has no snapshot none/],
    ];
    for (const [argv, message] of cases) {
      const { code, stderr } = await berth.run(['snapshot', ...argv]);
      assert.notEqual(code, 0, argv.join(' '));
      assert.match(stderr, message, argv.join(' '));
    }
    await berth.ok('volume', 'protect', volume);
    const guarded = await berth.run(['snapshot', 'restore', volume, 'first', '--yes', '--no-keep']);
    assert.match(guarded.stderr, /is protected/);
    await berth.ok('volume', 'unprotect', volume);
    assert.equal(await content(), 'two');
    assert.equal((await list()).length, 2);
  });

  it('leaves the volume as it was before or is after, however the engine is killed', async () => {
    await put(`two${'x'.repeat(8_000_000)}`);
    await berth.ok('snapshot', 'create', volume, '--name', 'large');
    let ended = 0;
    for (let kill = 0; kill < kills; kill += 1) {
      await put(`now ${kill}`);
      const { pid } = await berth.engine.call('engine.info', {});
      const argv =
        kill % 2 === 0
          ? ['snapshot', 'create', volume, '--name', `kill-${kill}`]
          : ['snapshot', 'restore', volume, 'large', '--yes'];
      const child = berth.spawn(argv);
      child.stdin.end();
      const done = finished(child, argv.join(' '));
      await berth.atWork(done);
      await sleep(Math.random() * 300);
      process.kill(pid, 'SIGKILL');
      const { code } = await done;
      ended += code === 0 ? 1 : 0;
      const found = await content();
      const states = kill % 2 === 0 ? [`now ${kill}`] : [`now ${kill}`, `two${'x'.repeat(8_000_000)}`];
      assert(states.includes(found), `after kill ${kill}: ${found.slice(0, 20)}`);
      const left = await berth.engine.call('snapshots.list', { params: { volume } });
      for (const { id, heldBytes } of left) {
        assert(heldBytes !== undefined, `${id} has no data`);
      }
      const files = readdirSync(join(berth.home, 'snapshots'));
      const known = left.flatMap(({ id }) => [`${id}.ext4`, `${id}.json`]);
      assert.deepEqual(files.sort(), known.sort(), 'neither drafts nor data of nobody');
    }
    console.log(`        ${kills} kills, ${ended} of them after the end`);
  });

  it('leaves alone what others keep beside them, also at its next start', async () => {
    const folder = join(berth.home, 'snapshots');
    const others = ['my-backup.ext4', `${'f'.repeat(12)}.ext4`, 'notes.txt'];
    others.forEach((name) => writeFileSync(join(folder, name), name));
    await berth.ok('down');
    assert.notEqual((await list()).length, 0);
    for (const name of others) {
      assert.equal(readFileSync(join(folder, name), 'utf8'), name);
      rmSync(join(folder, name));
    }
  });

  it('keeps no engine from its start, whatever is in the place of their folder', async () => {
    const folder = join(berth.home, 'snapshots');
    await berth.ok('down');
    renameSync(folder, `${folder}-aside`);
    writeFileSync(folder, 'no folder');
    await berth.ok('list');
    await berth.ok('down');
    rmSync(folder);
    renameSync(`${folder}-aside`, folder);
    assert.notEqual((await list()).length, 0);
  });

  it('deletes them', async () => {
    const ids = (await list()).map(({ id }) => id);
    await berth.ok('snapshot', 'delete', volume, ...ids, '--yes');
    assert.deepEqual(await list(), []);
    assert.deepEqual(readdirSync(join(berth.home, 'snapshots')), []);
    assert.match(await content(), /^now |^two/);
  });
});
