/** A machine that ssh leads to and that has Podman alone: its own command makes the connections. */
import assert from 'node:assert/strict';
import { Endpoint } from '../../../src/backend/drivers/containers/engine/endpoint';
import { hostEnvironment } from '../../../src/backend/machine/host-environment';
import { silentLog } from '../../support/engine/engine';
import { EngineHarness } from '../../support/engine/engine-harness';
import { failure } from '../../support/errors';
import { PrivatePodman } from '../../support/programs/private-podman';
import { useOtherMachine } from '../../support/programs/use-other-machine';
import { describeContainers, testTimeoutMs } from '../../support/runtimes/columns';
import { skipWithout } from '../../support/skip';

const image = 'berth-tools:1';

describeContainers('a daemon', 'the Podman of another machine', function () {
  this.timeout(testTimeoutMs);
  useOtherMachine({ isInPath: true });
  let podman: PrivatePodman | undefined;
  let harness: EngineHarness | undefined;

  before(async function () {
    const obstacle = await PrivatePodman.obstacle();
    if (obstacle !== undefined) {
      skipWithout(this, obstacle);
    }
    podman = new PrivatePodman();
    await podman.start();
    await podman.take(image);
  });
  after(async () => {
    await harness?.close();
    await podman?.dispose();
  });

  it('has workspaces: commands, ssh and files go through it, and all of them go', async () => {
    assert(podman);
    const dockerHost = `ssh://podmanOnly${podman.socket}`;
    harness = new EngineHarness({ docker: podman.docker, settings: { dockerHost } });
    await harness.open();
    const [driver] = (await harness.client.call('engine.info', {})).drivers;
    assert.match(driver?.product ?? '', /^Podman \d/);
    const { name, spec, homeVolume: volume } = await harness.create({ image });
    assert.equal(spec.target, 'podmanOnly');
    assert.equal(await harness.ssh(name, ['echo over ssh | tee kept']), 'over ssh');
    assert.equal(await harness.sh(name, 'cat ~/kept'), 'over ssh');
    const bytes = Buffer.alloc(300_000, 'x');
    await harness.client.writeFile(volume, '/up', bytes, { create: true, overwrite: false });
    assert.ok(bytes.equals(await harness.client.readFile(volume, '/up')));
    await harness.verb('stop', name);
    await harness.verb('start', name);
    assert.equal(await harness.ssh(name, ['cat kept']), 'over ssh');
    await harness.leavesNothing();
  });

  it('says so where its service does not listen, and how to start it', async () => {
    const environment = hostEnvironment();
    const dockerHost = () => 'ssh://podmanOnly/nowhere.sock';
    const endpoint = new Endpoint({ dockerHost, environment, log: silentLog });
    const error = await failure(endpoint.connect(), 'runtime_unavailable');
    assert.match(error.message, /the Podman of that machine does not answer/);
    assert.match(error.hint ?? '', /podman\.socket/);
    endpoint.close();
  });
});
