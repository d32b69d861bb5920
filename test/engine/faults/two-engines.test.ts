/** Two Docker daemons of one machine: what is on one of them is left alone while the other is in use. */
import assert from 'node:assert/strict';
import { EngineHarness } from '../../support/engine/engine-harness';
import { PrivateDaemon } from '../../support/programs/private-daemon';
import { describeContainers, testTimeoutMs } from '../../support/runtimes/columns';
import { skipWithout } from '../../support/skip';

const image = 'berth-tools:1';

describeContainers('a daemon', 'two container engines of one machine', function () {
  this.timeout(testTimeoutMs);
  let daemon: PrivateDaemon | undefined;
  let harness: EngineHarness;
  let name: string;

  before(async function () {
    const obstacle = await PrivateDaemon.obstacle();
    if (obstacle !== undefined) {
      skipWithout(this, obstacle);
    }
    daemon = new PrivateDaemon();
    await daemon.start();
    await daemon.take(image);
    harness = new EngineHarness({ docker: daemon.docker, env: { DOCKER_HOST: daemon.host } });
    await harness.open();
  });
  after(async () => {
    if (daemon !== undefined) {
      await harness.close();
      await daemon.dispose();
    }
  });

  it('refuse in one sentence what is on the other one, and change nothing', async () => {
    ({ name } = await harness.create({ image }));
    assert.equal(await harness.sh(name, 'echo kept >~/kept; cat ~/kept'), 'kept');
    await harness.process.kill();
    await harness.start({ DOCKER_HOST: undefined });
    const message = new RegExp(
      `${name} is on the container engine ${daemon?.host ?? ''} of this machine, and the one in use is unix://`,
    );
    for (const run of [
      () => harness.delete(name),
      () => harness.verb('stop', name),
      () => harness.sh(name, 'true'),
    ]) {
      await assert.rejects(run, { code: 'runtime_unavailable', message });
    }
    const { state, stateDetail } = await harness.workspace(name);
    assert.equal(state, 'running');
    assert.match(stateDetail ?? '', message);
  });

  it('has it again, whole, with its own container engine, and lets it go', async () => {
    await harness.process.kill();
    await harness.start();
    await harness.untilState(name, 'running');
    assert.equal(await harness.sh(name, 'cat ~/kept'), 'kept');
    await harness.leavesNothing();
  });
});
