/** The state directory: damaged, newer, full, and the log in it. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { draftOf } from '../../../src/backend/machine/drafts';
import { openLog } from '../../../src/backend/engine-log';
import { failure } from '../../support/errors';
import { EngineHarness, itLeavesNothing, useEngineHarness } from '../../support/engine/engine-harness';
import { mountSmallDisk, unmount } from '../../support/files/small-disk';
import { runProgram, succeed } from '../../support/programs';
import { describeContainers, testTimeoutMs } from '../../support/runtimes/columns';
import { skipWithout } from '../../support/skip';

describeContainers('the engine alone', 'engine process: damaged and newer records', function () {
  this.timeout(testTimeoutMs);
  const harness = useEngineHarness();
  const record = (name: string) => join(harness().home, 'workspaces', name, 'workspace.json');

  async function restart(between: () => Promise<void>): Promise<void> {
    await harness().process.stop();
    await between();
    await harness().start();
  }

  it('sets a damaged one aside, reports it, goes on with the others', async () => {
    const whole = await harness().create({ start: false });
    const { name } = await harness().create({ start: false });
    const text = await readFile(record(name), 'utf8');
    await restart(() => writeFile(record(name), text.slice(0, text.length / 2)));
    const { setAside } = await harness().client.call('engine.info', {});
    assert.match(setAside.join(), new RegExp(`${name}/workspace.json.*damaged`));
    const left = await readdir(join(harness().home, 'workspaces', name));
    assert.equal(left.length, 1);
    assert.match(left[0] ?? '', /^workspace\.json\.damaged-\d+$/);
    const listed = await harness().client.call('workspaces.list', {});
    assert.deepEqual(
      listed.map((each) => each.name),
      [whole.name],
    );
    const error = await failure(harness().workspace(name), 'not_found');
    assert.match(error.hint ?? '', /volumes are untouched/);
    await restart(() => writeFile(record(name), text));
    assert.equal(await harness().state(name), 'stopped');
    await rm(join(harness().home, 'workspaces', name, left[0] ?? ''));
  });

  it('leaves a newer one untouched, its name taken', async () => {
    const { name } = await harness().create({ start: false });
    const text = await readFile(record(name), 'utf8');
    const newer = text.replace(/"schemaVersion": 1/, '"schemaVersion": 2, "fromTheFuture": true');
    await restart(() => writeFile(record(name), newer));
    const { setAside } = await harness().client.call('engine.info', {});
    assert.match(setAside.join(), /newer Berth/);
    assert.equal((await failure(harness().beginCreate(name))).code, 'exists');
    assert.equal(await readFile(record(name), 'utf8'), newer);
    await restart(() => writeFile(record(name), text));
  });

  it('reads past rubbish: empty and foreign files, drafts of a killed engine', async () => {
    const { name } = await harness().create({ start: false });
    const folder = join(harness().home, 'workspaces');
    await restart(async () => {
      await writeFile(draftOf(record(name)), '{"half":');
      await writeFile(join(folder, 'a-file'), '');
      await mkdir(join(folder, 'empty'));
      await writeFile(join(harness().home, 'operations', 'x.json'), '');
      await writeFile(join(harness().home, 'ssh', 'config'), 'Host somebody-else\n');
    });
    assert.equal(await harness().state(name), 'stopped');
    assert.deepEqual(await readdir(join(folder, name)), ['workspace.json']);
    assert.match(await readFile(harness().sshConfig, 'utf8'), new RegExp(`Host berth-${name}`));
    await rm(join(folder, 'a-file'));
    await rm(join(folder, 'empty'), { recursive: true });
  });

  it('goes on with damaged settings, and says so', async () => {
    const path = join(harness().home, 'settings.json');
    const text = await readFile(path, 'utf8');
    await restart(() => writeFile(path, '{"portRange": 7}'));
    const { setAside, portRange } = await harness().client.call('engine.info', {});
    assert.match(setAside.join(), /settings\.json/);
    assert.equal(portRange.first, 2200);
    await restart(() => writeFile(path, text));
    for (const file of await readdir(harness().home)) {
      if (file.startsWith('settings.json.damaged')) {
        await rm(join(harness().home, file));
      }
    }
  });

  itLeavesNothing(harness);
});

describeContainers(
  'a tiny state directory',
  'engine process: a full disk under the state directory',
  function () {
    this.timeout(testTimeoutMs);
    let harness: EngineHarness | undefined;
    let folder = '';

    before(async function () {
      folder = mkdtempSync(join(tmpdir(), 'berth-full-'));
      if (!mountSmallDisk(folder, '1m')) {
        skipWithout(this, 'a small disk is mounted by root alone');
      }
      harness = new EngineHarness({ home: join(folder, 'home') });
      await harness.start();
    });
    after(async () => {
      await harness?.close();
      unmount(folder);
      await rm(folder, { recursive: true, force: true });
    });

    it('refuses clearly, changes nothing by half, and works again when there is room', async () => {
      assert(harness);
      const { name } = await harness.create({ start: false });
      const filler = join(folder, 'filler');
      await runProgram('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4096']);
      const label = harness.client.call('workspaces.update', { params: { name }, body: { label: 'New' } });
      assert.equal((await failure(label)).code, 'no_space');
      const another = harness.name();
      const create = harness.beginCreate(another).then((operation) => harness?.done(operation));
      const error = await failure(create, 'no_space');
      assert.match(error.message, /disk|space/i);
      assert(error.hint);
      await failure(harness.workspace(another), 'not_found');
      await rm(filler);
      assert.deepEqual((await harness.workspace(name)).label, name, 'as it is on disk');
      await harness.verb('start', name);
      assert.equal(await harness.ssh(name, ['echo', 'room']), 'room');
      await runProgram('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4096']);
      // What runs must be stoppable also when nothing can be noted.
      await harness.verb('stop', name).catch(() => undefined);
      assert.equal((await harness.container(name).inspect()).State.Running, false);
      await rm(filler);
      await harness.killAndRestart();
      assert.equal(await harness.state(name), 'stopped');
      await harness.delete(name);
    });
  },
);

describeContainers('the engine alone', 'engine process: its log', function () {
  this.timeout(30_000);

  it('rotates: at most five files of about 5 MB, for the user only', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'berth-log-'));
    const engineLog = await openLog(join(folder, 'engine.log'), 'info');
    const chunk = randomBytes(32_000).toString('hex');
    for (let line = 0; line < 700; line += 1) {
      engineLog.log.info({ chunk }, 'much to say');
      await new Promise((resolve) => setImmediate(resolve));
    }
    await engineLog.close();
    const files = (await readdir(folder)).filter((name) => name.endsWith('engine.log'));
    assert(files.length > 1 && files.length <= 5, files.join());
    for (const file of files) {
      const { size, mode } = await stat(join(folder, file));
      assert(size < 6_000_000, `${file}: ${size}`);
      assert.equal(mode & 0o777, 0o600, file);
    }
    await succeed('rm', ['-r', folder]);
  });
});
