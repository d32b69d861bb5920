/** Engines that confine their containers; no machine of the tests has one that does. */
import assert from 'node:assert/strict';
import { Ownership } from '../../../../../../src/backend/drivers/containers/engine/ownership';
import { Freezes } from '../../../../../../src/backend/drivers/containers/runtime/freezes';
import { Runtimes } from '../../../../../../src/backend/drivers/containers/runtime/runtimes';
import { ToolsVolume } from '../../../../../../src/backend/drivers/containers/tools/tools-volume';
import type { RuntimePlan } from '../../../../../../src/backend/drivers/driver';
import { failure } from '../../../../../support/errors';
import { useStandIn } from '../../../../../support/programs/stand-in-daemon';
import { until } from '../../../../../support/wait';

const nothing = () => undefined;
const quiet = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const plan: RuntimePlan = {
  name: 'workspace-demo',
  workspace: 'demo',
  image: 'img',
  env: {},
  limits: {},
  docker: false,
  network: 'on',
  homeVolume: 'workspace-demo',
  dockerVolume: undefined,
  mounts: [],
  sshPort: 2201,
};
const mount = { kind: 'volume', source: 'shared', target: '/data', readOnly: false } as const;
const sharing = (folder: string): RuntimePlan => ({ ...plan, mounts: [{ ...mount, folder }] });
const inDocker: RuntimePlan = { ...plan, docker: true, dockerVolume: 'workspace-demo-docker' };

const products = [
  {
    server: 'Docker/24.0.7 (linux)',
    path: '/info',
    said: (...names: string[]) => ({
      SecurityOptions: ['name=seccomp,profile=builtin', ...names.map((name) => `name=${name}`)],
    }),
    mappings: ['userns', 'rootless'],
  },
  {
    server: 'Libpod/4.3.1 (linux)',
    path: '/v4.0.0/libpod/info',
    said: (...names: string[]) => ({
      host: {
        security: { rootless: names.includes('rootless'), selinuxEnabled: names.includes('selinux') },
      },
    }),
    mappings: ['rootless'],
  },
];

for (const { server, path, said, mappings } of products) {
  describe(`containers that ${server} confines`, () => {
    const standIn = useStandIn(server);
    let runtimes: Runtimes;
    const engineSays = (...names: string[]) => {
      standIn().answers.set(path.replace('/v4.0.0', ''), () => ({ status: 200, body: said(...names) }));
    };
    const create = (what: RuntimePlan) =>
      runtimes.create(what, new AbortController().signal, { volumes: [] });
    const infos = () => standIn().asked.filter((line) => line.endsWith('/info')).length;
    beforeEach(() => {
      const { endpoint } = standIn();
      const tools = new ToolsVolume(endpoint, { image: () => 'berth-tools:1', log: quiet });
      runtimes = new Runtimes(endpoint, tools, new Ownership('me'), new Freezes(endpoint, undefined, quiet));
    });

    for (const mapping of mappings) {
      it(`share no folder where ids are mapped, and nothing is made: ${mapping}`, async () => {
        engineSays(mapping);
        const { message, hint, field } = await failure(create(sharing('/v/shared')), 'not_supported');
        assert.match(message, /can't share the folder of the volume shared: .*maps user ids/);
        assert.match(hint ?? '', /kind `docker`/);
        assert.equal(field, 'volumes.0');
        assert.deepEqual(standIn().asked, ['GET /_ping', `GET ${path.replace('/v4.0.0', '')}`]);
      });
    }

    it('share no folder with a colon in its path under SELinux, which can not be labelled', async () => {
      engineSays('selinux');
      await failure(create(sharing('/v:1/shared')), 'not_supported');
    });

    it('go on where nothing stands against it; the engine is asked once, and only where it matters', async () => {
      engineSays('selinux');
      // Nothing else is known to it.
      await failure(create(plan));
      assert.equal(infos(), 0);
      assert.notEqual((await failure(create(sharing('/v/shared')))).code, 'not_supported');
      assert.notEqual((await failure(create(inDocker))).code, 'not_supported');
      assert.equal(infos(), 1);
    });

    it('are asked for again after a failure', async () => {
      standIn().answers.set('/info', () => ({ status: 500, body: { message: 'busy' } }));
      assert.match((await failure(create(inDocker))).detail ?? '', /busy/);
      await failure(create(inDocker));
      assert.equal(infos(), 2);
    });
  });
}

describe('containers under SELinux', () => {
  const standIn = useStandIn('Docker/24.0.7 (linux)');
  class ReadyTools extends ToolsVolume {
    override ensure() {
      return Promise.resolve({ volume: 'berth-tools-1', architecture: 'amd64' });
    }
  }

  for (const [isOn, expected] of [
    [true, ['/v/shared:/data:rw,z']],
    [false, undefined],
  ] as const) {
    it(`${isOn ? 'have' : 'do not have'} their folders labelled where it is ${isOn ? 'on' : 'off'}`, async () => {
      const { endpoint, answers, bodies } = standIn();
      const ok = (body?: unknown) => () => ({ status: 200, body });
      answers.set('/info', ok({ SecurityOptions: isOn ? ['name=selinux'] : [] }));
      answers.set('/images/img/json', ok({ Os: 'linux', Architecture: 'amd64' }));
      answers.set('/containers/create', ok({ Id: 'made' }));
      const tools = new ReadyTools(endpoint, { image: () => 'berth-tools:1', log: quiet });
      const runtimes = new Runtimes(
        endpoint,
        tools,
        new Ownership('me'),
        new Freezes(endpoint, undefined, quiet),
      );
      // What it was made with is all that is asked of this engine.
      await failure(runtimes.create(sharing('/v/shared'), new AbortController().signal, { volumes: [] }));
      const made = () => bodies.find(({ request }) => request === 'POST /containers/create');
      await until('the request for the container', () => made() !== undefined);
      const body = made()?.body;
      const { HostConfig: host } = body as { HostConfig: { Binds?: string[] } };
      assert.deepEqual(host.Binds, expected);
    });
  }
});

describe('containers of an engine with userns-remap', () => {
  const standIn = useStandIn('Docker/24.0.7 (linux)');

  it('have no Docker inside, which is said before anything is made', async () => {
    const { endpoint, answers, asked } = standIn();
    answers.set('/info', () => ({ status: 200, body: { SecurityOptions: ['name=userns'] } }));
    const tools = new ToolsVolume(endpoint, { image: () => 'berth-tools:1', log: quiet });
    const runtimes = new Runtimes(
      endpoint,
      tools,
      new Ownership('me'),
      new Freezes(endpoint, undefined, quiet),
    );
    const creation = runtimes.create(inDocker, new AbortController().signal, { volumes: [] });
    const { message, hint } = await failure(creation, 'not_supported');
    assert.match(message, /userns-remap/);
    assert.match(hint ?? '', /microVM/);
    assert.deepEqual(asked, ['GET /_ping', 'GET /info']);
  });
});
