/** A Docker of another machine, by TCP with TLS and by ssh: all that a workspace does, with nothing published there. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { hostname } from 'node:os';
import { probe } from '../../../src/client/launch';
import { EngineHarness, eventually } from '../../support/engine/engine-harness';
import type { OtherMachine } from '../../support/programs/other-machine';
import { useOtherMachine } from '../../support/programs/use-other-machine';
import { describeContainers, testTimeoutMs } from '../../support/runtimes/columns';
import { itInSoak } from '../../support/soak';

/** Small, and on every machine that has Berth. */
const image = 'berth-tools:1';

const server = `
import socket
listener = socket.create_server(('127.0.0.1', 7000))
while True:
    peer, _ = listener.accept()
    peer.recv(65536)
    peer.sendall(b'HTTP/1.0 200 OK\\r\\n\\r\\nfrom inside')
    peer.close()
`;

const ways = {
  'TCP with TLS': (machine: OtherMachine) => ({
    DOCKER_HOST: machine.tcpHost,
    DOCKER_TLS_VERIFY: '1',
    DOCKER_CERT_PATH: machine.certificates,
  }),
  'a forwarded socket': (machine: OtherMachine) => ({ DOCKER_HOST: `unix://${machine.socket}` }),
  ssh: (machine: OtherMachine) => ({
    DOCKER_HOST: machine.sshHost,
    PATH: `${machine.programs}:${process.env.PATH ?? ''}`,
  }),
};

const textAt = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path: '/' }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('end', () => resolve(text));
    });
    call.on('error', reject).end();
  });

describeContainers('a daemon', 'the Docker of another machine', function () {
  this.timeout(testTimeoutMs);
  const theMachine = useOtherMachine({ image });

  for (const [way, environment] of Object.entries(ways)) {
    describe(`by ${way}`, () => {
      // What follows from a connection is the same for all of them.
      const more = way === 'ssh' ? it : itInSoak;
      let harness: EngineHarness;
      let name: string;
      let port: number;

      before(async () => {
        harness = new EngineHarness({ docker: theMachine().docker, env: environment(theMachine()) });
        await harness.open();
      });
      after(() => harness.close());

      it('makes a workspace that ssh reaches on this machine, and opens no port on that one', async () => {
        const workspace = await harness.create({ image, ports: [{ guest: 7000 }] });
        name = workspace.name;
        port = workspace.spec.ports?.[0]?.host ?? 0;
        assert.equal(await harness.ssh(name, ['echo over ssh; echo kept > kept']), 'over ssh');
        if (way === 'a forwarded socket') {
          // Its machine was found out by this very workspace.
          assert.equal(workspace.spec.target, hostname());
          return;
        }
        assert.equal(workspace.spec.target, way === 'ssh' ? 'other' : theMachine().address);
        const { HostConfig: host } = await harness.container(name).inspect();
        assert.deepEqual({ ...(host.PortBindings as object | null) }, {});
      });

      it('runs commands, and carries published ports', async () => {
        assert.equal(await harness.sh(name, 'cat ~/kept; id -un'), 'kept\nworkspace');
        const running = harness.exec(name, ['/.berth/bin/python3', '-c', server]);
        running.catch(() => undefined);
        const answered = () =>
          textAt(port).then(
            (text) => text === 'from inside',
            () => undefined,
          );
        await eventually('the server inside answers', answered);
      });

      more('carries much through ssh, both ways at once, and whole', async () => {
        const input = Buffer.alloc(8_000_000, 'some bytes ');
        const { stdout, code } = await harness.trySsh(name, ['cat'], { input });
        assert.deepEqual([code, stdout === input.toString()], [0, true]);
      });

      more('takes files up and down', async () => {
        const { homeVolume: volume } = await harness.workspace(name);
        const bytes = Buffer.alloc(300_000, 'x');
        await harness.client.writeFile(volume, '/up', bytes, { create: true, overwrite: false });
        assert.equal(await harness.sh(name, 'wc -c <~/up'), '300000');
        assert.ok(bytes.equals(await harness.client.readFile(volume, '/up')));
      });

      it('is in the lists of its machine, with its volume, and in no other', async () => {
        const { spec, homeVolume } = await harness.workspace(name);
        const listed = async (target: string): Promise<[boolean, boolean]> => {
          const workspaces = await harness.client.call('workspaces.list', { query: { target } });
          const volumes = await harness.client.call('volumes.list', { query: { target } });
          return [
            workspaces.some((each) => each.name === name),
            volumes.some((each) => each.name === homeVolume),
          ];
        };
        assert.deepEqual(await listed(spec.target ?? ''), [true, true]);
        assert.deepEqual(await listed('local'), [false, false]);
      });

      more('pauses, resumes, stops, starts, archives and restores', async () => {
        for (const [away, state, back] of [
          ['pause', 'paused', 'resume'],
          ['stop', 'stopped', 'start'],
          ['archive', 'archived', 'restore'],
        ] as const) {
          await harness.verb(away, name);
          assert.equal(await harness.state(name), state, `after ${away}`);
          await harness.verb(back, name);
          assert.equal(await harness.ssh(name, ['cat kept']), 'kept', `after ${back}`);
        }
      });

      more('is reached again by an engine that comes after one that was killed', async () => {
        await harness.killAndRestart();
        await harness.untilState(name, 'running');
        assert.equal(await harness.ssh(name, ['cat kept']), 'kept');
      });

      more('is still paused for an engine that comes after one that was killed, and goes on', async () => {
        await harness.verb('pause', name);
        await harness.killAndRestart();
        await harness.untilState(name, 'paused');
        await harness.verb('resume', name);
        assert.equal(await harness.ssh(name, ['cat kept']), 'kept');
      });

      more('is reached by ssh while no engine runs: ssh starts one', async () => {
        await harness.process.kill();
        const { BERTH_HOME: _, ...around } = process.env;
        const env = { ...around, ...harness.env };
        const { code, stdout, stderr } = await harness.trySsh(name, ['cat kept'], { env, timeoutMs: 60_000 });
        assert.deepEqual([code, stdout], [0, 'kept\n'], stderr);
        await harness.client.call('engine.stop', { body: {} });
        await eventually('that engine ends', async () => (await probe(harness.client)) === undefined);
        await harness.start();
      });

      more(
        'is left alone while another container engine is in use, and can be deleted afterwards',
        async () => {
          await harness.process.kill();
          await harness.start({ DOCKER_HOST: undefined, PATH: process.env.PATH });
          const { target = '' } = (await harness.workspace(name)).spec;
          const refusal = new RegExp(
            `${name} is on ${target}, and the container engine in use is that of this machine`,
          );
          for (const run of [
            () => harness.delete(name),
            () => harness.verb('stop', name),
            () => harness.sh(name, 'true'),
          ]) {
            await assert.rejects(run, { code: 'runtime_unavailable', message: refusal });
          }
          assert.equal(await harness.state(name), 'running');
          await harness.process.kill();
          await harness.start();
          await harness.untilState(name, 'running');
          assert.equal(await harness.ssh(name, ['cat kept']), 'kept');
        },
      );

      it('goes with its delete', async () => {
        await harness.leavesNothing();
        await assert.rejects(theMachine().docker.getContainer(`workspace-${name}`).inspect(), {
          statusCode: 404,
        });
      });
    });
  }
});
