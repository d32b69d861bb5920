/** The same engine on Podman's service, whose API is Docker's but for the differences that the driver knows. */
import assert from 'node:assert/strict';
import { claimImage, holdVolume } from '../../../src/backend/drivers/containers/volumes/claims';
import { failure } from '../../support/errors';
import { EngineHarness } from '../../support/engine/engine-harness';
import { PrivatePodman } from '../../support/programs/private-podman';
import { skipWithout } from '../../support/skip';

const image = 'workspace:latest';
const tools = 'berth-tools:1';

describe('Podman', function () {
  this.timeout(180_000);
  let podman: PrivatePodman | undefined;
  let harness: EngineHarness;
  let name: string;

  before(async function () {
    const obstacle = await PrivatePodman.obstacle();
    if (obstacle !== undefined) {
      skipWithout(this, obstacle);
    }
    podman = new PrivatePodman();
    await podman.start();
    await podman.take(tools, image);
    harness = new EngineHarness({ docker: podman.docker, settings: { dockerHost: podman.host } });
    await harness.open();
  });
  after(async () => {
    if (podman !== undefined) {
      await harness.close();
      await podman.dispose();
    }
  });

  it('is what the engine says that it is', async () => {
    const [driver] = (await harness.client.call('engine.info', {})).drivers;
    assert.equal(driver?.available, true);
    assert.match(driver.product ?? '', /^Podman \d/);
  });

  it('creates a workspace that answers SSH, with its variables and secrets', async () => {
    ({ name } = await harness.create({ env: { GREETING: 'hello' }, secrets: { TOKEN: 'abc' } }));
    assert.equal(await harness.ssh(name, ['echo $GREETING $TOKEN >~/kept; cat ~/kept']), 'hello abc');
    assert.equal(await harness.sh(name, 'cat /workspace/kept'), 'hello abc');
  });

  it('marks its volumes as its own', async () => {
    const volume = `workspace-${name}`;
    const { managed, workspace, id } = await harness.client.call('volumes.get', { params: { volume } });
    assert.deepEqual([managed, workspace], [true, name]);
    assert(id !== undefined);
    const shown = await harness.client.call('volumes.list', {});
    assert(!shown.some((each) => each.name.startsWith('berth-tools-')));
  });

  it('runs commands: input, output and errors apart, exit codes', async () => {
    const result = await harness.client.call('workspaces.exec', {
      params: { name },
      body: {
        argv: ['sh', '-c', 'cat; echo no >&2; exit 3'],
        stdin: Buffer.from('from outside').toString('base64'),
      },
    });
    const text = (base64: string) => Buffer.from(base64, 'base64').toString('utf8');
    assert.deepEqual(
      [text(result.stdout), text(result.stderr), result.exitCode],
      ['from outside', 'no\n', 3],
    );
  });

  it('keeps the volumes of a stopped and of an archived workspace over a prune', async () => {
    for (const [away, back] of [
      ['stop', 'start'],
      ['archive', 'restore'],
    ] as const) {
      await harness.verb(away, name);
      await podman?.podman('volume', 'prune', '-f');
      await harness.verb(back, name);
      assert.equal(await harness.sh(name, 'cat ~/kept'), 'hello abc', away);
    }
  });

  it('reads and writes files of a running volume', async () => {
    const volume = `workspace-${name}`;
    await harness.client.writeFile(volume, '/from-outside', Buffer.from('hi'), {
      create: true,
      overwrite: false,
    });
    assert.equal(await harness.sh(name, 'stat -c %U ~/from-outside; cat ~/from-outside'), 'workspace\nhi');
    const { entries } = await harness.client.call('files.list', {
      params: { volume },
      query: { path: '/' },
    });
    assert(entries.some((entry) => entry.name === 'kept' && entry.type === 'file'));
  });

  it('pauses and resumes', async () => {
    await harness.verb('pause', name);
    assert.equal(await harness.state(name), 'paused');
    await harness.verb('resume', name);
    assert.equal(await harness.ssh(name, ['cat ~/kept']), 'hello abc');
  });

  it('stops; files of the stopped volume are there, and what is written is found at the next start', async () => {
    await harness.verb('stop', name);
    const volume = `workspace-${name}`;
    await harness.client.writeFile(volume, '/while-stopped', Buffer.from('yes'), {
      create: true,
      overwrite: false,
    });
    await harness.verb('start', name);
    assert.equal(await harness.ssh(name, ['cat ~/while-stopped ~/kept']), 'yeshello abc');
  });

  it('holds a volume against a prune by a container that is never started', async () => {
    assert(podman !== undefined);
    const { docker } = podman;
    const hold = { name: `holder-${harness.name()}`, volume: harness.name(), labels: {} };
    await docker.createVolume({ Name: hold.volume });
    assert.equal(await holdVolume(docker, hold), true);
    assert.equal(await holdVolume(docker, hold), false);
    await podman.podman('volume', 'prune', '-f');
    await docker.getVolume(hold.volume).inspect();
    const images = await harness.client.call('images.list', {});
    assert(!images.some((each) => each.tags.some((tag) => tag.includes(claimImage))));
    await docker.getContainer(hold.name).remove({ v: false });
    await docker.getVolume(hold.volume).remove();
    await docker.getImage(claimImage).remove();
  });

  it('archives and restores with every byte', async () => {
    await harness.verb('archive', name);
    assert.equal(await harness.state(name), 'archived');
    await harness.verb('restore', name);
    assert.equal(await harness.ssh(name, ['cat ~/kept']), 'hello abc');
  });

  it('sees what is done by hand', async () => {
    await podman?.podman('stop', '--time', '1', `workspace-${name}`);
    await harness.untilState(name, 'stopped');
    await podman?.podman('start', `workspace-${name}`);
    await harness.untilState(name, 'running');
    assert.equal(await harness.ssh(name, ['cat ~/kept']), 'hello abc');
  });

  it('goes on after the engine was killed', async () => {
    await harness.killAndRestart();
    assert.equal(await harness.state(name), 'running');
    assert.equal(await harness.ssh(name, ['cat ~/kept']), 'hello abc');
  });

  it('says what can not be changed live, and takes it with a rebuild', async () => {
    const { warnings } = await harness.client.call('workspaces.update', {
      params: { name },
      body: { limits: { memoryMiB: 300 } },
    });
    const rebuild = await harness.client.call('workspaces.rebuild', {
      params: { name },
      body: { confirm: true },
    });
    await harness.done(rebuild);
    assert.equal(await harness.ssh(name, ['cat ~/kept']), 'hello abc');
    const info = await harness.container(name).inspect();
    assert.equal(info.HostConfig.Memory, 300 * 1024 ** 2, JSON.stringify(warnings));
  });

  it('says that an image is not to be had', async () => {
    const wanted = harness.name();
    const create = harness.beginCreate(wanted, { image: '127.0.0.1:1/nothing:1' });
    const error = await failure(create.then((operation) => harness.done(operation)));
    assert.match(error.message, /127\.0\.0\.1:1|nothing/);
    await failure(harness.workspace(wanted), 'not_found');
  });

  it('deletes, and leaves no container, volume, port, file or process behind', async () => {
    await harness.delete(name);
    await harness.leavesNothing();
  });
});
