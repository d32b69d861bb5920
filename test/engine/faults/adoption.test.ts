/**
 * The adoption of a container that another tool made: the workspace has what it had, and it is as it was when the
 * adoption fails, also when the engine is killed at any request to the daemon that changes something.
 */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type Dockerode from 'dockerode';
import { DockerRelay, type Cut } from '../../support/programs/docker-relay';
import { eventually, itLeavesNothing, useEngineHarness } from '../../support/engine/engine-harness';
import { failure } from '../../support/errors';
import { describeContainers, testTimeoutMs } from '../../support/runtimes/columns';
import { temporaryPath } from '../../support/temp';
import { runProgram } from '../../support/programs';
import { someOf } from '../../support/soak';

describeContainers('foreign containers', 'faults: adoption of a container', function () {
  this.timeout(testTimeoutMs);
  const folder = temporaryPath('berth-relay-');
  const relay = new DockerRelay(join(folder, 'docker.sock'));
  const harness = useEngineHarness({ env: { DOCKER_HOST: relay.host } });
  let name: string;
  let home: string;
  let data: string;
  let theirs: Dockerode.Container;
  let id: string;
  let port: number;

  before(async () => {
    mkdirSync(folder, { mode: 0o700 });
    await relay.listen();
    name = harness().name();
    home = `workspace-${name}`;
    data = `${harness().prefix}-data`;
    port = harness().ports.first + 20;
    theirs = await harness().docker.createContainer({
      name: home,
      Image: 'workspace',
      Entrypoint: ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1; done'],
      Env: ['THEIR_VARIABLE=a b', 'THEIR_OTHER=x=y'],
      Labels: { 'workspace.name': name },
      ExposedPorts: { '8080/tcp': {}, '53/udp': {} },
      HostConfig: {
        PortBindings: {
          '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: String(port) }],
          '22/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }],
          '53/udp': [{ HostIp: '127.0.0.1', HostPort: '' }],
        },
        Binds: [`${folder}:/srv/theirs:ro`],
        PidsLimit: 500,
        Mounts: [
          { Type: 'volume', Source: home, Target: '/home/workspace' },
          { Type: 'volume', Source: data, Target: '/data' },
          { Type: 'volume', Source: '', Target: '/var/unnamed' },
        ],
      },
    });
    ({ Id: id } = await theirs.inspect());
    await theirs.start();
    await asRoot(
      'echo home >/home/workspace/kept; chown 1234:1235 /home/workspace/kept; chown 1000:1000 /home/workspace;' +
        'echo data >/data/kept; chown 1234:1235 /data /data/kept; chmod 750 /data;' +
        'echo unnamed >/var/unnamed/kept; echo own >/opt/own; sync',
    );
  });

  after(async () => {
    relay.close();
    rmSync(folder, { recursive: true });
    await theirs.remove({ force: true, v: true }).catch(() => undefined);
    await Promise.allSettled([home, data].map((volume) => harness().docker.getVolume(volume).remove()));
  });

  const asRoot = async (script: string) => {
    const ran = await runProgram('docker', ['exec', '-u', '0', home, 'sh', '-c', script]);
    assert.equal(ran.code, 0, ran.stderr);
    return ran.stdout.trim();
  };
  const adopt = (more: object = {}) =>
    harness().client.call('adoptable.adopt', {
      params: { name },
      body: { volume: home, replaceContainer: true, ...more },
    });

  async function isAsItWas(): Promise<void> {
    const { Id, State } = await harness().container(name).inspect();
    assert.deepEqual([Id, State.Running], [id, true]);
    assert.equal(await asRoot('cat /opt/own /data/kept /var/unnamed/kept'), 'own\ndata\nunnamed');
    assert.equal(await asRoot('stat -c %u:%g:%a /data /data/kept ~workspace/kept'), owners);
    await failure(harness().workspace(name), 'not_found');
    const all = await harness().docker.listContainers({ all: true });
    assert.equal(all.filter(({ Names }) => Names.some((each) => each.includes(name))).length, 1);
  }
  const owners = '1234:1235:750\n1234:1235:644\n1234:1235:644';

  it('names what goes, with count and size, and what a workspace can not have', async () => {
    const { message } = await failure(adopt({ replaceContainer: false }), 'needs_confirmation');
    assert.match(message, /outside of its volumes is removed: [1-9]\d* files?, \d/);
    assert.match(
      message,
      new RegExp(`the folder ${folder} of this machine at /srv/theirs; the UDP port 53\\.$`),
    );
    await isAsItWas();
  });

  it('leaves it as it was when its image is nowhere to be had', async () => {
    await failure(adopt({ image: '127.0.0.1:9/none:1' }).then((begun) => harness().done(begun)));
    await isAsItWas();
  });

  const points: [string, Cut['when'], (change: string) => boolean][] = [
    ['it was to be stopped', 'before', (change) => /\/containers\/[\w-]+\/stop$/.test(change)],
    ['it was stopped', 'after', (change) => /\/containers\/[\w-]+\/stop$/.test(change)],
    ['its name was given up', 'after', (change) => /\/containers\/.*\/rename$/.test(change)],
    ['the new one was created', 'after', (change) => change === 'POST /containers/create'],
    ['the new one was started', 'after', (change) => /\/containers\/\w{64}\/start$/.test(change)],
    ['it was to be removed', 'before', (change) => change === `DELETE /containers/${id}`],
  ];
  for (const [what, when, at] of someOf(points, 3)) {
    it(`leaves it as it was when the engine is killed when ${what}`, async () => {
      await new Promise<void>((done) => {
        relay.cutAt({ at, when, run: () => void harness().process.kill().then(done) });
        void adopt().catch(() => undefined);
      });
      await harness().start();
      await eventually('it is as it was', () =>
        isAsItWas().then(
          () => true,
          () => false,
        ),
      );
      await isAsItWas();
    });
  }

  it('has its volumes, port, variables and limits; owners in volumes are what they were', async () => {
    await harness().done(await adopt());
    const { spec, state } = await harness().workspace(name);
    assert.deepEqual([state, spec.image], ['running', 'workspace:latest']);
    assert.deepEqual(spec.env, { THEIR_VARIABLE: 'a b', THEIR_OTHER: 'x=y' });
    assert.deepEqual(spec.ports, [{ host: port, guest: 8080 }]);
    assert.equal(spec.limits?.pids, 500);
    assert.equal(await harness().sh(name, 'echo $THEIR_VARIABLE'), 'a b');
    const root = { user: 'root' };
    const read = 'cat ~workspace/kept /data/kept /var/unnamed/kept; cat /opt/own || true';
    assert.equal(await harness().exec(name, ['sh', '-c', read], root), 'home\ndata\nunnamed');
    const stat = 'stat -c %u:%g:%a /data /data/kept ~workspace/kept';
    assert.equal(await harness().exec(name, ['sh', '-c', stat], root), owners);
    await assert.rejects(harness().docker.getContainer(id).inspect(), { statusCode: 404 });
    const serve =
      'setsid -f /.berth/bin/python3 -m http.server 8080 --directory /etc >/dev/null 2>&1 </dev/null';
    await harness().sh(name, serve);
    await eventually('its port answers', () =>
      fetch(`http://127.0.0.1:${port}/hostname`, { signal: AbortSignal.timeout(1000) }).then(
        (answer) => answer.ok,
        () => false,
      ),
    );
    await harness()
      .client.call('workspaces.rebuild', { params: { name }, body: { confirm: true } })
      .then((begun) => harness().done(begun));
    assert.equal(await harness().exec(name, ['cat', '/var/unnamed/kept'], root), 'unnamed');
  });

  it('leaves volumes that somebody named when it is deleted', async () => {
    await harness().delete(name);
    await harness().docker.getVolume(data).remove();
    await assert.rejects(harness().docker.getVolume(home).inspect(), { statusCode: 404 });
  });

  itLeavesNothing(harness);
});
