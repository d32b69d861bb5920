import assert from 'node:assert/strict';
import { Bench, eventually, never } from './support';
import { skipWithout } from '../../../support/skip';

describe('Docker inside a container', function () {
  this.timeout(180_000);
  let bench: Bench;
  before(async function () {
    bench = await Bench.open();
    const probe = await bench.docker.createContainer({
      Image: await bench.bareImage(),
      Entrypoint: ['/bin/sh', '-c', ':'],
      User: '0:0',
      HostConfig: { Privileged: true },
    });
    try {
      await probe.start();
    } catch (error) {
      skipWithout(this, `no privileged containers here (${String(error)})`);
    } finally {
      await probe.remove({ force: true });
    }
  });
  after(() => bench.dispose());

  it('runs its own daemon on its own volume, for the workspace user, also after a restart', async () => {
    const workspace = bench.name();
    const plan = await bench.running({
      workspace,
      docker: true,
      dockerVolume: `workspace-${workspace}-docker`,
    });
    await bench.driver.startDocker(plan.name, never());
    await bench.driver.startDocker(plan.name, never());
    const names = await bench.ssh(plan, 'docker info --format "{{.Name}} {{.Driver}}"');
    assert.equal(names.stdout, `${workspace} overlay2\n`, names.stderr);
    const make =
      'tar -cf - -C /.berth/bin busybox | docker import - inner:1 >/dev/null && docker run --rm inner:1 /busybox echo from inside';
    assert.equal((await bench.ssh(plan, make)).stdout, 'from inside\n');
    const privileged = await bench.ssh(plan, 'docker run --rm --privileged inner:1 /busybox echo privileged');
    assert.equal(privileged.stdout, 'privileged\n', privileged.stderr);
    // sshd's process for a session may outlive the answer by a moment.
    await eventually(
      'nobody is there but the daemon',
      async () => (await bench.driver.attached(plan.name)) === 0,
    );
    const role = await bench.driver.volumes.inspect(`workspace-${workspace}-docker`);
    assert.equal(role?.role, 'docker');
    assert.deepEqual(await bench.driver.stop(plan.name, 10_000), { killed: false });
    await bench.driver.start(plan.name);
    await bench.driver.configure(plan.name, bench.startPlan(), never());
    await bench.driver.startDocker(plan.name, never());
    assert.match((await bench.ssh(plan, 'docker images')).stdout, /^inner/m);
    const sockets = (await bench.docker.getContainer(plan.name).inspect()).Mounts.map(({ Source }) => Source);
    assert.ok(!sockets.some((source) => source.endsWith('docker.sock')), 'never the socket of the host');
  });

  it('says what is missing: a daemon in the image, or the privilege', async () => {
    const bare = await bench.running({ image: await bench.bareImage(), docker: true });
    await assert.rejects(bench.driver.startDocker(bare.name, never()), {
      code: 'not_supported',
      message: /dockerd/,
    });
    const plain = await bench.running();
    await assert.rejects(bench.driver.startDocker(plain.name, never()), {
      code: 'not_supported',
      message: /not privileged/,
    });
  });
});
