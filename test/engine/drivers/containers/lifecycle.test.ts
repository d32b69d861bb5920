import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { BerthError } from '../../../../src/api/errors';
import { Bench, never } from './support';

describe('the life of a container', function () {
  this.timeout(120_000);
  let bench: Bench;
  before(async () => (bench = await Bench.open()));
  after(() => bench.dispose());

  it('is created with names, labels, mounts, limits and port, and not started', async () => {
    const plan = await bench.plan({
      env: { GREETING: 'hello' },
      limits: { cpus: 0.5, memoryMiB: 256, pids: 200, shmMiB: 16 },
      mounts: [{ kind: 'volume', source: `${bench.prefix}-extra`, target: '/extra', readOnly: true }],
    });
    const info = await bench.driver.create(plan, never());
    assert.equal(info.state, 'stopped');
    assert.equal(info.exitCode, undefined);
    assert.equal(info.workspace, plan.workspace);
    assert.equal(info.sshPort, plan.sshPort);
    assert.equal(info.labels['workspace.managed'], 'true');
    assert.equal(info.labels['berth.installation'], bench.installation);
    const raw = await bench.docker.getContainer(plan.name).inspect();
    assert.equal(raw.Config.Hostname, plan.workspace);
    assert.equal(raw.HostConfig.NanoCpus, 5e8);
    assert.equal(raw.HostConfig.Memory, 256 * 1024 * 1024);
    assert.equal(raw.HostConfig.MemorySwap, 256 * 1024 * 1024);
    assert.equal(raw.HostConfig.PidsLimit, 200);
    assert.equal(raw.HostConfig.ShmSize, 16 * 1024 * 1024);
    assert.equal(raw.HostConfig.RestartPolicy?.Name, 'no');
    const targets = info.volumes
      .map(({ volume, target, readOnly }) => `${volume} ${target} ${readOnly}`)
      .sort();
    assert.deepEqual(
      targets.filter((line) => !line.startsWith('berth-tools')),
      [
        `${bench.prefix}-extra /extra true`,
        `${plan.homeVolume} /home/workspace false`,
        `${plan.homeVolume} /workspace false`,
      ].sort(),
    );
    const home = await bench.driver.volumes.inspect(plan.homeVolume);
    assert.equal(home?.role, 'home');
    assert.equal(home.workspace, plan.workspace);
    assert.equal(home.managed, true);
    assert.equal(home.holders[0]?.runtime, plan.name);
  });

  it('starts, pauses, resumes, stops and goes away, each of them also when it is so already', async () => {
    const { name } = await bench.running();
    const { driver } = bench;
    assert.equal((await driver.start(name)).state, 'running');
    assert.ok((await driver.inspect(name))?.startedAt);
    await driver.pause(name);
    await driver.pause(name);
    assert.equal((await driver.inspect(name))?.state, 'paused');
    await driver.resume(name);
    await driver.resume(name);
    assert.equal((await driver.inspect(name))?.state, 'running');
    assert.deepEqual(await driver.stop(name, 10_000), { killed: false });
    assert.deepEqual(await driver.stop(name, 10_000), { killed: false });
    const stopped = await driver.inspect(name);
    assert.equal(stopped?.state, 'stopped');
    assert.equal(stopped.exitCode, 0);
    await assert.rejects(driver.pause(name), { code: 'illegal_state' });
    await driver.remove(name);
    await driver.remove(name);
    assert.equal(await driver.inspect(name), undefined);
    assert.ok(await driver.volumes.inspect(name), 'the home volume stays');
  });

  it('stops gracefully: programs get TERM, shells HUP, and have time to end', async () => {
    const plan = await bench.running();
    const trap = `trap 'sleep 0.3; echo bye >~/bye; exit 0' TERM; echo ready; while :; do sleep 1; done`;
    const polite = await bench.driver.exec(plan.name, { argv: ['sh', '-c', trap], user: 'workspace' });
    const shell = await bench.driver.exec(plan.name, {
      argv: ['bash', '-i'],
      user: 'workspace',
      tty: { cols: 80, rows: 24 },
    });
    await new Promise((ready) => polite.stdout.once('data', ready));
    await new Promise((ready) => shell.stdout.once('data', ready));
    const begin = Date.now();
    assert.deepEqual(await bench.driver.stop(plan.name, 10_000), { killed: false });
    assert.ok(Date.now() - begin < 5000, `took ${Date.now() - begin} ms`);
    await bench.driver.start(plan.name);
    assert.equal((await bench.exec(plan.name, { argv: ['cat', '/home/workspace/bye'] })).stdout, 'bye\n');
  });

  it('tells that it had to kill what did not end in time, also a paused one', async () => {
    const plan = await bench.running();
    const deaf = await bench.driver.exec(plan.name, {
      argv: ['sh', '-c', `trap '' TERM HUP; echo ready; while :; do sleep 1; done`],
      user: 'workspace',
    });
    await new Promise((ready) => deaf.stdout.once('data', ready));
    await bench.driver.pause(plan.name);
    assert.deepEqual(await bench.driver.stop(plan.name, 1000), { killed: true });
    assert.equal((await bench.driver.inspect(plan.name))?.exitCode, 137);
  });

  it('changes limits live and names those that need a rebuild', async () => {
    const { name } = await bench.running({ limits: { cpus: 1, memoryMiB: 256, pids: 300 } });
    const answer = await bench.driver.setLimits(name, { cpus: 0.5, memoryMiB: 512, shmMiB: 32 });
    assert.deepEqual(answer, { needsRebuild: ['shmMiB', 'pids'], needsRestart: [] });
    const { HostConfig } = await bench.docker.getContainer(name).inspect();
    assert.equal(HostConfig.NanoCpus, 5e8);
    assert.equal(HostConfig.Memory, 512 * 1024 * 1024);
    assert.equal(HostConfig.MemorySwap, 512 * 1024 * 1024);
    assert.equal(HostConfig.PidsLimit, 300);
  });

  it('lists by label, with exit codes and ports', async () => {
    const plan = await bench.plan();
    await bench.driver.create(plan, never());
    const listed = (await bench.driver.list()).find(({ name }) => name === plan.name);
    assert.equal(listed?.workspace, plan.workspace);
    assert.equal(listed.sshPort, plan.sshPort);
    assert.equal(listed.state, 'stopped');
    assert.ok(listed.volumes.some(({ volume }) => volume === plan.homeVolume));
  });

  it('leaves nothing of a create that failed or was cancelled', async () => {
    const plan = await bench.plan({
      mounts: [{ kind: 'volume', source: 'x', target: '/../..//', readOnly: false }],
    });
    await assert.rejects(bench.driver.create(plan, never()), BerthError);
    assert.equal(await bench.driver.volumes.inspect(plan.homeVolume), undefined);
    const cancelled = await bench.plan();
    await assert.rejects(bench.driver.create(cancelled, AbortSignal.abort()), { code: 'cancelled' });
    assert.equal(await bench.driver.inspect(cancelled.name), undefined);
    assert.equal(await bench.driver.volumes.inspect(cancelled.homeVolume), undefined);
  });

  it('says what stands in the way: name, image, port, what is not supported', async () => {
    const plan = await bench.plan();
    await bench.driver.create(plan, never());
    await assert.rejects(bench.driver.create({ ...plan, sshPort: 1 }, never()), { code: 'exists' });
    assert.ok(await bench.driver.inspect(plan.name), 'the first one is still there');
    const missing = await bench.plan({ image: 'no-such-image:1' });
    await assert.rejects(bench.driver.create(missing, never()), { code: 'image_missing', field: 'image' });
    const disk = await bench.plan({
      mounts: [{ kind: 'disk', source: '/x.ext4', target: '/x', readOnly: false }],
    });
    await assert.rejects(bench.driver.create(disk, never()), {
      code: 'not_supported',
      field: 'volumes.0',
    });
    await assert.rejects(bench.driver.start('workspace-no-such'), { code: 'not_found' });

    const server = createServer();
    await new Promise<void>((listening) => server.listen(plan.sshPort, '127.0.0.1', listening));
    try {
      await assert.rejects(bench.driver.start(plan.name), { code: 'in_use' });
    } finally {
      await new Promise((closed) => server.close(closed));
    }
    assert.equal((await bench.driver.start(plan.name)).state, 'running');
  });

  it('makes ten at once, and the tools volume only once', async () => {
    const plans = await Promise.all(Array.from({ length: 10 }, () => bench.plan()));
    await Promise.all(plans.map((plan) => bench.driver.create(plan, never())));
    const names = (await bench.driver.list()).map(({ name }) => name);
    assert.ok(plans.every(({ name }) => names.includes(name)));
    await Promise.all(plans.map(({ name }) => bench.driver.remove(name)));
  });

  it('removes the anonymous volumes that an image declares', async () => {
    const image = await bench.bareImage();
    const built = await bench.docker.createContainer({ Image: image, Cmd: ['/bin/true'] });
    const repo = image.split(':')[0] ?? '';
    await built.commit({ repo, tag: 'with-volume', changes: 'VOLUME /data' });
    await built.remove();
    try {
      const plan = await bench.plan({ image: `${repo}:with-volume` });
      const info = await bench.driver.create(plan, never());
      const anonymous = info.volumes.find(({ target }) => target === '/data')?.volume ?? '';
      assert.match(anonymous, /^[0-9a-f]{64}$/);
      await bench.driver.remove(plan.name);
      assert.equal(await bench.driver.volumes.inspect(anonymous), undefined);
    } finally {
      await bench.docker.getImage(`${repo}:with-volume`).remove({ force: true });
    }
  });
});
