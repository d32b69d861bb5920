/** What keeps an engine from the Docker of another machine: told within seconds, with what to do. A real sshd refuses. */
import assert from 'node:assert/strict';
import { cp, copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Endpoint } from '../../../src/backend/drivers/containers/engine/endpoint';
import { hostEnvironment } from '../../../src/backend/machine/host-environment';
import { silentLog } from '../../support/engine/engine';
import { EngineHarness } from '../../support/engine/engine-harness';
import { failure } from '../../support/errors';
import { useOtherMachine } from '../../support/programs/use-other-machine';
import { describeContainers, testTimeoutMs } from '../../support/runtimes/columns';

const refusedTimeoutMs = 10_000;

describeContainers('a daemon', 'a Docker of another machine that is not to be had', function () {
  this.timeout(testTimeoutMs);
  const theMachine = useOtherMachine({ isInPath: true });

  let endpoint: Endpoint | undefined;
  afterEach(() => endpoint?.close());
  const open = (host: string, env: NodeJS.ProcessEnv = {}): Endpoint => {
    const environment = { ...hostEnvironment(), env: { ...process.env, ...env } };
    endpoint = new Endpoint({ dockerHost: () => host, environment, log: silentLog });
    return endpoint;
  };

  const refused: Record<string, [name: string, message: RegExp, hint: RegExp]> = {
    'an unknown host key': ['stranger', /ssh does not know the host key of that machine/, /`ssh stranger`/],
    'another host key': ['changed', /ssh does not know the host key .*or knows another/, /`ssh changed`/],
    'a key that it does not know': ['keyless', /does not let you in without a password/, /`ssh-copy-id`/],
    'a user who may not use Docker': [
      'withoutDocker',
      /your user may not use the Docker of that machine/,
      /`sudo usermod -aG docker \$USER`.*`ssh withoutDocker docker version`/,
    ],
    'no command of an engine': [
      'bare',
      /there is neither a `docker` nor a `podman` command on that machine/,
      /Install Docker there/,
    ],
  };
  for (const [what, [name, message, hint]] of Object.entries(refused)) {
    it(`by ${what}: says so at once, and what to do`, async () => {
      const start = Date.now();
      const error = await failure(open(theMachine().sshHostAs(name)).connect(), 'runtime_unavailable');
      assert.match(error.message, message);
      assert.match(error.hint ?? '', hint);
      assert(Date.now() - start < refusedTimeoutMs, `${Date.now() - start} ms`);
    });
  }

  it('says so where no Docker listens at that socket', async () => {
    const error = await failure(open('ssh://other/nowhere.sock').connect(), 'runtime_unavailable');
    assert.match(error.message, /the Docker of that machine does not answer/);
    assert.match(error.hint ?? '', /^Start Docker there/);
  });

  it('needs no forwarding of ports or sockets, which an sshd may forbid', async () => {
    const { target } = await open(theMachine().sshHostAs('forwardsNothing')).connect();
    assert.equal(target, 'forwardsNothing');
  });

  describe('without a look at its certificate', () => {
    let folder: string;
    before(async () => {
      // Of another authority than that of the daemon.
      folder = join(theMachine().folder, 'unknown-authority');
      await cp(theMachine().certificates, folder, { recursive: true });
      await theMachine().take('berth-tools:1');
      await copyFile(join(theMachine().folder, 'tls', 'another-ca.pem'), join(folder, 'ca.pem'));
    });

    it('is refused where a look is asked for', async () => {
      const env = { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder };
      const error = await failure(open(theMachine().tcpHost, env).connect(), 'runtime_unavailable');
      assert.match(error.message, /certificate|self-signed|signature/i);
    });

    it('is refused by the daemon without the certificate of a client', async () => {
      const env = { DOCKER_TLS: '1', DOCKER_CERT_PATH: join(folder, 'none'), DOCKER_TLS_VERIFY: undefined };
      await failure(open(theMachine().tcpHost, env).connect(), 'runtime_unavailable');
    });

    for (const [way, environment] of Object.entries({
      DOCKER_TLS: () => ({ DOCKER_HOST: theMachine().tcpHost, DOCKER_TLS: '1', DOCKER_CERT_PATH: folder }),
      'a context that skips it': async () => ({
        DOCKER_CONTEXT: 'box',
        DOCKER_CONFIG: await theMachine().makeContext('box', folder),
      }),
    })) {
      it(`has workspaces by ${way}`, async () => {
        const env = { DOCKER_HOST: undefined, DOCKER_TLS_VERIFY: undefined, ...(await environment()) };
        const harness = new EngineHarness({ docker: theMachine().docker, env });
        try {
          await harness.open();
          const { name, spec } = await harness.create({ image: 'berth-tools:1' });
          assert.equal(spec.target, theMachine().address);
          assert.equal(await harness.ssh(name, ['echo over ssh']), 'over ssh');
          await harness.leavesNothing();
        } finally {
          await harness.close();
        }
      });
    }
  });
});
