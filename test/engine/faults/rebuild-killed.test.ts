/**
 * A rebuild or a move to another port that is cut off: the engine is killed at each request to the daemon that changes
 * something. The workspace is as before or as after, and never both; what an image has declared as a volume is there in
 * either case.
 */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Dockerode from 'dockerode';
import { DockerRelay, type Cut } from '../../support/programs/docker-relay';
import { eventually, itLeavesNothing, useEngineHarness } from '../../support/engine/engine-harness';
import { occupy, vacate } from '../../support/ports';
import { describeContainers, testTimeoutMs } from '../../support/runtimes/columns';
import { someOf } from '../../support/soak';
import { temporaryPath } from '../../support/temp';

describeContainers('a daemon', 'faults: the engine is killed in a rebuild', function () {
  this.timeout(testTimeoutMs);
  const folder = temporaryPath('berth-relay-');
  const relay = new DockerRelay(join(folder, 'docker.sock'));
  const harness = useEngineHarness({ env: { DOCKER_HOST: relay.host } });
  let name: string;
  let image: string;
  let volumesBefore: Set<string>;

  before(async () => {
    mkdirSync(folder, { mode: 0o700 });
    await relay.listen();
    const { docker, prefix } = harness();
    volumesBefore = await anonymousVolumes(docker);
    image = `${prefix}-declares:1`;
    const container = await docker.createContainer({ Image: 'workspace:latest' });
    await container.commit({ repo: `${prefix}-declares`, tag: '1', changes: 'VOLUME /var/declared' });
    await container.commit({ repo: `${prefix}-declares`, tag: '2', changes: 'VOLUME /var/declared' });
    await container.remove({ v: true });
    ({ name } = await harness().create({ image }));
    await harness().sh(name, 'echo kept >~/kept; sync ~/kept');
    await asRoot('echo declared >/var/declared/file; sync');
  });

  after(async () => {
    relay.close();
    rmSync(folder, { recursive: true });
    await Promise.allSettled(['1', '2'].map((tag) => removeImage(`${harness().prefix}-declares:${tag}`)));
  });

  const removeImage = (tag: string) => harness().docker.getImage(tag).remove();
  const asRoot = (script: string) => harness().exec(name, ['sh', '-c', script], { user: 'root' });
  const rebuild = (wanted: string) =>
    harness().client.call('workspaces.rebuild', {
      params: { name },
      body: { image: wanted, confirm: true },
    });

  async function rest() {
    return eventually('it comes to rest', async () => {
      const workspace = await harness().workspace(name);
      const isAtRest = ['running', 'stopped', 'error'].includes(workspace.state);
      return isAtRest && workspace.operations.length === 0 && workspace;
    });
  }

  async function containers(): Promise<string[]> {
    const all = await harness().docker.listContainers({ all: true });
    return all.filter(({ Names }) => Names.some((each) => each.includes(name))).map(({ Id }) => Id);
  }

  /** Of one rebuild to another image; answers whether the old container is there afterwards. */
  async function cutRebuild(wanted: string, at: (change: string, old: string) => boolean, when: Cut['when']) {
    await asRoot('echo own >/opt/own; sync');
    const { Id: old } = await harness().container(name).inspect();
    const { image: from } = (await harness().workspace(name)).spec;
    await new Promise<void>((done) => {
      relay.cutAt({
        at: (change) => at(change, old),
        when,
        run: () => void harness().process.kill().then(done),
      });
      void rebuild(wanted).catch(() => undefined);
    });
    await harness().start();
    const workspace = await rest();
    assert.notEqual(workspace.state, 'error', JSON.stringify(workspace.problem));
    await eventually('one container is left', async () => (await containers()).length === 1);
    const isOld = (await containers())[0] === old;
    assert.equal((await rest()).spec.image, isOld ? from : wanted);
    await (workspace.state === 'stopped' ? harness().verb('start', name) : undefined);
    assert.equal(await harness().ssh(name, ['cat ~/kept /var/declared/file']), 'kept\ndeclared');
    assert.equal(await harness().sh(name, 'cat /opt/own || true'), isOld ? 'own' : '');
    assert.equal((await containers()).length, 1);
    return isOld;
  }

  const points: [string, Cut['when'], (change: string, old: string) => boolean][] = [
    ['the new one was created', 'after', (change) => change === 'POST /containers/create'],
    ['the new one was started', 'after', (change) => /\/containers\/\w{64}\/start$/.test(change)],
    ['the old one was to be removed', 'before', (change, old) => change === `DELETE /containers/${old}`],
  ];
  for (const [what, when, at] of points) {
    it(`when ${what}: as before`, async () => {
      assert(await cutRebuild(`${harness().prefix}-declares:2`, at, when));
    });
  }

  it('when the old one was removed: as after', async () => {
    const isOld = await cutRebuild(
      `${harness().prefix}-declares:2`,
      (change, old) => change === `DELETE /containers/${old}`,
      'after',
    );
    assert(!isOld);
  });

  const moves: [string, Cut['when'], (change: string, old: string) => boolean][] = [
    ['the new one was created', 'after', (change) => change === 'POST /containers/create'],
    ['the old one was off its network', 'after', (change) => change === 'POST /networks/bridge/disconnect'],
    ['the old one was started', 'after', (change, old) => change === `POST /containers/${old}/start`],
    ['the files were to be copied', 'after', (change, old) => change === `POST /containers/${old}/exec`],
    ['the old one was to be stopped', 'before', (change, old) => change === `POST /containers/${old}/stop`],
    ['the old one was aside', 'after', (change, old) => change === `POST /containers/${old}/rename`],
    ['the new one had the name', 'after', (change) => /\.moving-\w+\/rename$/.test(change)],
  ];
  for (const [what, when, at] of someOf(moves, 3)) {
    it(`of a move to another port, when ${what}: the next start has all its files, once`, async () => {
      await asRoot(`echo ${when} >/opt/own; sync`);
      await harness().verb('stop', name);
      const { sshPort } = await harness().workspace(name);
      const { Id: old } = await harness().container(name).inspect();
      const squatter = await occupy(sshPort, '127.0.0.1');
      await new Promise<void>((done) => {
        const run = (): void => void harness().process.kill().then(done);
        relay.cutAt({ at: (change) => at(change, old), when, run });
        void harness()
          .client.call('workspaces.start', { params: { name } })
          .catch(() => undefined);
      });
      await harness().start();
      const { state, problem, warnings: before } = await rest();
      assert.equal(state, 'stopped', JSON.stringify(problem));
      await harness().verb('start', name);
      await vacate(squatter);
      const { warnings, sshPort: now } = await harness().workspace(name);
      assert.notEqual(now, sshPort);
      assert.match(
        [...before, ...warnings].map(({ message }) => message).join(),
        new RegExp(`SSH is on ${now} now`),
      );
      assert.equal(
        await harness().ssh(name, ['cat ~/kept /var/declared/file /opt/own']),
        `kept\ndeclared\n${when}`,
      );
      assert.equal((await containers()).length, 1);
      assert.deepEqual(Object.keys((await harness().container(name).inspect()).NetworkSettings.Networks), [
        'bridge',
      ]);
    });
  }

  it('leaves no volume that an image has declared', async () => {
    await harness().delete(name);
    const left = [...(await anonymousVolumes(harness().docker))].filter((each) => !volumesBefore.has(each));
    // Others use this daemon: what is mounted is theirs.
    const mounted = await harness().docker.listContainers({ all: true });
    const used = new Set(mounted.flatMap(({ Mounts }) => Mounts.map(({ Name }) => Name)));
    assert.deepEqual(
      left.filter((each) => !used.has(each)),
      [],
    );
  });

  itLeavesNothing(harness);
});

async function anonymousVolumes(docker: Dockerode): Promise<Set<string>> {
  const { Volumes: all } = await docker.listVolumes();
  return new Set(all.map(({ Name }) => Name).filter((each) => /^[0-9a-f]{64}$/.test(each)));
}
