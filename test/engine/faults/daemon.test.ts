/** The Docker daemon goes away and comes back: a private one, so that all there is on it is ours to count. */
import assert from 'node:assert/strict';
import { failure } from '../../support/errors';
import { EngineHarness, eventually } from '../../support/engine/engine-harness';
import { PrivateDaemon } from '../../support/programs/private-daemon';
import { describeContainers, testTimeoutMs } from '../../support/runtimes/columns';
import { skipWithout } from '../../support/skip';

/** Small, and on every machine that has Berth. */
const image = 'berth-tools:1';

describeContainers('a daemon', 'faults: the Docker daemon', function () {
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
    harness = new EngineHarness({ docker: daemon.docker, settings: { dockerHost: daemon.host } });
    await harness.open();
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') {
      console.log(await daemon?.lastLog());
    }
  });
  after(async () => {
    if (daemon !== undefined) {
      await harness.close();
      await daemon.dispose();
    }
  });

  const theDaemon = () => {
    assert(daemon);
    return daemon;
  };
  const driver = async () => (await harness.client.call('engine.info', {})).drivers[0];
  const assertWorks = async () => assert.equal(await harness.ssh(name, ['cat kept']), 'kept');

  /** Everything on the daemon but the volume of the tools. */
  async function countAll(): Promise<object> {
    const { docker } = theDaemon();
    const containers = await docker.listContainers({ all: true });
    const { Volumes: volumes } = await docker.listVolumes();
    const images = await docker.listImages({ all: true });
    return {
      containers: containers.map(({ Names }) => Names.join()),
      volumes: volumes.map(({ Name }) => Name).filter((volume) => !volume.startsWith('berth-tools-')),
      images: images.map(({ RepoTags }) => (RepoTags ?? []).join()),
    };
  }

  it("builds 'workspace:latest' when it is missing, and leaves nothing when that is cancelled", async () => {
    const wanted = harness.name();
    const before = await countAll();
    const begun = await harness.beginCreate(wanted);
    const params = { id: begun.id };
    await eventually('the image is being built', async () => {
      const { steps } = await harness.client.call('operations.get', { params });
      return steps.some(({ title, outcome }) => title === 'Build workspace:latest' && outcome === 'running');
    });
    await harness.client.call('operations.cancel', { params });
    await failure(harness.done(begun), 'cancelled');
    await failure(harness.workspace(wanted), 'not_found');
    assert.deepEqual(await countAll(), before);
  });

  it('keeps the volumes of stopped and archived workspaces over a prune of all unused ones', async () => {
    const { docker } = theDaemon();
    const { name: kept } = await harness.create({ image, volumes: ['prune-data:/data'] });
    await harness.sh(kept, 'echo kept >~/kept; sync ~/kept');
    for (const [away, back] of [
      ['stop', 'start'],
      ['archive', 'restore'],
    ] as const) {
      await harness.verb(away, kept);
      // Newer ones remove only anonymous volumes unless they are told so.
      await docker
        .pruneVolumes({ filters: JSON.stringify({ all: ['true'] }) })
        .catch(() => docker.pruneVolumes());
      await harness.verb(back, kept);
      assert.equal(await harness.sh(kept, 'cat ~/kept'), 'kept', away);
      await docker.getVolume('prune-data').inspect();
    }
    await harness.delete(kept);
    await docker.getVolume('prune-data').remove();
  });

  it('keeps what another tool made and was taken over, in no use, over a prune of volumes', async () => {
    const { docker } = theDaemon();
    const volume = 'of-a-tool';
    await docker.createVolume({ Name: volume });
    const before = await countAll();
    await harness.client.call('volumes.adopt', { params: { volume }, body: {} });
    const content = Buffer.from('kept');
    await harness.client.writeFile(volume, '/kept', content, { create: true, overwrite: false });
    await harness.killAndRestart();
    // A keeper would hold it as well.
    await eventually('no keeper is left', async () =>
      (await docker.listContainers({ all: true })).every(({ Labels }) => !('berth.keeper' in Labels)),
    );
    await docker
      .pruneVolumes({ filters: JSON.stringify({ all: ['true'] }) })
      .catch(() => docker.pruneVolumes());
    assert.deepEqual(await harness.client.readFile(volume, '/kept'), content);
    await harness.client.call('volumes.delete', { params: { volume }, query: { force: false } });
    await docker.createVolume({ Name: volume });
    assert.deepEqual(await countAll(), before);
    await docker.getVolume(volume).remove();
  });

  it('leaves no anonymous volume or image behind over the whole life of a workspace', async () => {
    const before = await countAll();
    const workspace = await harness.create({ image });
    await harness.client.readFile(workspace.homeVolume, '/nothing').catch(() => undefined);
    await harness.verb('stop', workspace.name);
    await harness.client.writeFile(workspace.homeVolume, '/file', Buffer.from('x'), {
      create: true,
      overwrite: false,
    });
    const rebuild = await harness.client.call('workspaces.rebuild', {
      params: { name: workspace.name },
      body: { confirm: true },
    });
    await harness.done(rebuild);
    await harness.verb('archive', workspace.name);
    await harness.verb('restore', workspace.name);
    await harness.delete(workspace.name);
    assert.deepEqual(await countAll(), before);
  });

  it('gone: the engine lives on, says so, and keeps what it knows', async () => {
    ({ name } = await harness.create({ image }));
    await harness.ssh(name, ['echo kept >kept; sync']);
    const { pid } = harness.process;
    await theDaemon().stop();
    await eventually('it is told', async () => (await driver())?.available === false);
    assert.match((await driver())?.message ?? '', /docker\.sock|No container engine answers/);
    assert((await driver())?.hint);
    // Also what would have nothing to do: that it still runs is only what was last seen.
    for (const verb of ['start', 'restart', 'archive', 'stop'] as const) {
      await failure(harness.verb(verb, name), 'runtime_unavailable');
    }
    const { state } = await harness.workspace(name);
    await failure(harness.delete(name), 'runtime_unavailable');
    assert.equal(
      (await harness.workspace(name)).state,
      state,
      'a delete that could not begin changes nothing',
    );
    const created = harness.name();
    const create = harness.beginCreate(created, { image }).then((operation) => harness.done(operation));
    await failure(create, 'runtime_unavailable');
    await failure(harness.client.call('volumes.list', {}), 'runtime_unavailable');
    assert.equal(
      (await harness.client.call('workspaces.list', {})).some((each) => each.name === name),
      true,
    );
    assert.equal((await harness.client.call('engine.info', {})).pid, pid);
  });

  it('back: found by itself, states are true again, files are there', async () => {
    await theDaemon().start();
    await eventually('it is told', async () => (await driver())?.available === true);
    await eventually('it is looked at again', async () => {
      const { state, stateDetail } = await harness.workspace(name);
      return state === 'stopped' && stateDetail === undefined;
    });
    await harness.verb('start', name);
    await assertWorks();
    for (const { name: other, state } of await harness.client.call('workspaces.list', {})) {
      assert(other === name || state === 'error', `${other} is ${state}`);
    }
  });

  it('not there when the engine starts: it starts all the same, and sees it when it comes', async () => {
    await harness.process.stop();
    await theDaemon().stop();
    const started = Date.now();
    await harness.start();
    const ms = Date.now() - started;
    const { stateDetail } = await harness.workspace(name);
    assert.match(stateDetail ?? '', /does not answer/);
    await failure(harness.verb('restart', name), 'runtime_unavailable');
    await theDaemon().start();
    await eventually('it is seen', async () => (await harness.workspace(name)).stateDetail === undefined);
    await harness.untilState(name, 'stopped');
    await harness.verb('start', name);
    await assertWorks();
    console.log(`      started without a daemon in ${ms} ms`);
  });

  it('restarted in the middle of a create: it fails clearly or succeeds, and nothing is left over', async () => {
    const wanted = harness.name();
    const operation = await harness.beginCreate(wanted, { image });
    await theDaemon().stop();
    const { status } = await harness.client.call('operations.get', {
      params: { id: operation.id },
      query: { wait: 60_000 },
    });
    assert(['failed', 'succeeded'].includes(status), status);
    await theDaemon().start();
    await eventually('it is told', async () => (await driver())?.available === true);
    const left = await harness.client.call('workspaces.list', {});
    const unfinished = left.find((each) => each.name === wanted);
    assert(unfinished === undefined || ['error', 'stopped', 'running'].includes(unfinished.state));
    const next = await harness.create({ image });
    assert.equal(await harness.ssh(next.name, ['echo', 'next']), 'next');
  });

  it('leaves no container, volume, port, file or process behind', async () => {
    await harness.leavesNothing();
    assert.deepEqual(await countAll(), { containers: [], volumes: [], images: [image] });
  });
});
