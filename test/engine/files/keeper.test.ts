import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { keeperLabel } from '../../../src/backend/drivers/containers/volumes/keeper';
import { describeContainers } from '../../support/runtimes/columns';
import { hasCode, textOf } from '../../unit/backend/files/agent/harness';
import { busybox, Engine } from './harness';

const over = { create: true, overwrite: true };

describeContainers('keepers', 'keepers', function () {
  this.timeout(60_000);
  let engine: Engine;
  beforeEach(() => {
    engine = new Engine();
  });
  afterEach(() => engine.dispose());

  it('start when they are needed, are shared, and can do nothing else', async () => {
    const volume = await engine.volume();
    const files = await engine.keepers.files(volume);
    assert.deepEqual(await engine.keeperIds(), [], 'asking for files starts nothing');
    await Promise.all([files.stat('/'), files.list('/'), (await engine.keepers.files(volume)).stat('/')]);
    const [id, ...more] = await engine.keeperIds(volume);
    assert.deepEqual(more, []);
    const { Config, HostConfig, NetworkSettings } = await engine.docker.getContainer(id!).inspect();
    assert.equal(Config.Labels[keeperLabel], 'true');
    assert.equal(HostConfig.NetworkMode, 'none');
    assert.equal(HostConfig.ReadonlyRootfs, true);
    assert.deepEqual(HostConfig.CapDrop, ['ALL']);
    assert.deepEqual(HostConfig.SecurityOpt, ['no-new-privileges']);
    assert.deepEqual(NetworkSettings.Ports, {});
    assert.ok(HostConfig.Memory! > 0 && HostConfig.PidsLimit! > 0);
  });

  it('never make a volume by being asked for it, and name a missing image', async () => {
    const missing = `${engine.prefix}-none`;
    const files = await engine.keepers.files(missing);
    await assert.rejects(files.stat('/'), hasCode('not_found'));
    await assert.rejects(engine.docker.getVolume(missing).inspect(), /no such volume/i);
    const without = engine.makeKeepers({ image: 'berth-tools:none' });
    await assert.rejects((await without.files(await engine.volume())).stat('/'), hasCode('image_missing'));
    assert.deepEqual(await engine.keeperIds(), []);
  });

  it('close when they are not used, and open again', async () => {
    const volume = await engine.volume();
    const keepers = engine.makeKeepers({ idleMs: 300 });
    const files = await keepers.files(volume);
    await files.write('/a', Buffer.from('x'), over);
    await engine.waitForKeepers(0, 'closing when idle');
    assert.equal(await textOf(await files.read('/a')), 'x');
    const stop = await files.watch('/', { recursive: true }, () => undefined);
    await sleep(1000);
    assert.equal((await engine.keeperIds()).length, 1, 'a watch keeps it open');
    stop();
    await engine.waitForKeepers(0, 'closing after the watch');
  });

  it('leave nothing behind when their engine is killed', async () => {
    const volume = await engine.volume();
    const holder = await engine.holder(volume);
    const child = spawn(process.execPath, [join(__dirname, 'client.js'), volume, engine.prefix], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    assert.equal((await engine.keeperIds()).length, 1);
    assert.match(await engine.run(holder, busybox, 'ls', '-A', '/home/workspace'), /\.berth-stage-/);
    child.kill('SIGKILL');
    await engine.waitForKeepers(0, 'after kill -9 of the engine');
    assert.equal(await engine.run(holder, busybox, 'ls', '-A', '/home/workspace'), '');
  });

  it('are opened anew when somebody removes them', async () => {
    const volume = await engine.volume();
    const files = await engine.keepers.files(volume);
    await files.write('/a', Buffer.from('x'), over);
    const stage = await files.stage();
    const [id] = await engine.keeperIds(volume);
    await engine.docker.getContainer(id!).remove({ force: true });
    assert.equal((await files.list('/')).total, 1);
    await assert.rejects(files.merge(stage, '/', 'overwrite'), hasCode('gone'));
    const left = await files.stat('/');
    assert.equal(left.type, 'directory');
    assert.equal((await engine.keeperIds(volume)).length, 1);
    await assert.rejects(files.stat(stage), hasCode('path_not_found'), 'the dead stage was swept');
  });

  it('let go of a volume that is to be removed', async () => {
    const volume = await engine.volume();
    const files = await engine.keepers.files(volume);
    await files.stat('/');
    await engine.keepers.release(volume);
    await engine.docker.getVolume(volume).remove();
    await assert.rejects(files.stat('/'), hasCode('gone'));
  });

  it('of a dead engine are swept, those of living ones are not', async () => {
    const volume = await engine.volume();
    const other = engine.makeKeepers({ owner: `${engine.prefix}-other` });
    await (await other.files(volume)).stat('/');
    await (await engine.keepers.files(volume)).stat('/');
    const predecessor = engine.makeKeepers();
    await (await predecessor.files(volume)).stat('/');
    assert.equal(await engine.keepers.sweep(), 1);
    assert.equal((await engine.keeperIds()).length, 1);
    assert.equal((await engine.keeperIds(undefined, `${engine.prefix}-other`)).length, 1);
    assert.equal((await (await engine.keepers.files(volume)).stat('/')).type, 'directory');
  });

  it('read and write while the holder is paused, and see what it does when it runs', async () => {
    const volume = await engine.volume();
    const holder = await engine.holder(volume);
    const files = await engine.keepers.files(volume);
    const seen: string[] = [];
    const stop = await files.watch('/', { recursive: true }, (changes) =>
      seen.push(...changes.map(({ path }) => path)),
    );
    await engine.run(holder, busybox, 'touch', '/home/workspace/from-inside');
    const end = Date.now() + 5000;
    while (Date.now() < end && !seen.includes('/from-inside')) {
      await sleep(20);
    }
    assert.ok(seen.includes('/from-inside'), JSON.stringify(seen));
    await holder.pause();
    await files.write('/while-paused', Buffer.from('x'), over);
    assert.equal((await files.list('/')).total, 2);
    await holder.unpause();
    assert.equal(await engine.run(holder, busybox, 'cat', '/home/workspace/while-paused'), 'x');
    stop();
  });

  it('are not led out by what a workspace plants', async () => {
    const volume = await engine.volume();
    const holder = await engine.holder(volume);
    await engine.run(
      holder,
      busybox,
      'sh',
      '-c',
      'cd /home/workspace && ln -s / root && ln -s /.berth/VERSION v && ln -s ../../etc/passwd p && mkdir d && ln -s /home/workspace/d in',
    );
    const files = await engine.keepers.files(volume);
    for (const path of ['/root/etc/passwd', '/v', '/p']) {
      await assert.rejects(files.read(path), hasCode('path_escapes'), path);
      await assert.rejects(files.write(path, Buffer.from('x'), over), hasCode('path_escapes'), path);
    }
    await files.write('/in/f', Buffer.from('inside'), over);
    assert.equal(await textOf(await files.read('/d/f')), 'inside');
    assert.equal((await files.stat('/root')).targetType, 'outside');
  });

  it('say when the volume is full, and leave nothing of what did not fit', async () => {
    const volume = await engine.volume('full', { type: 'tmpfs', device: 'tmpfs', o: 'size=4m' });
    const files = await engine.keepers.files(volume);
    const stop = await files.watch('/', { recursive: false }, () => undefined);
    await files.write('/fits', Buffer.alloc(1_000_000), over);
    await assert.rejects(
      files.write('/large', Readable.from([Buffer.alloc(6_000_000)]), over),
      hasCode('no_space'),
    );
    await assert.rejects(files.write('/fits', Buffer.alloc(200_000_000), over), hasCode('no_space'));
    assert.deepEqual(
      (await files.list('/')).entries.map(({ name, size }) => [name, size]),
      [['fits', 1_000_000]],
    );
    await files.write('/again', Buffer.alloc(2_000_000), over);
    stop();
  });
});
