import assert from 'node:assert/strict';
import { AdoptedVolumes } from '../../../../../src/backend/store/adopted-volumes';
import { useEngine, type TestEngine } from '../../../../support/engine/engine';
import { failure } from '../../../../support/errors';

describe('services/workspaces/adoption', () => {
  const { start } = useEngine();
  let test: TestEngine;
  beforeEach(async () => {
    test = await start();
    test.driver.volumes.add('workspace-old', undefined, false);
    test.driver.volumes.add('workspace-old-docker', undefined, false);
    test.driver.volumes.add('sandkasten-ws-user1', undefined, false);
    test.driver.volumes.add('unrelated', undefined, false);
    test.driver.images.known.set('theirs:1', 'sha256:theirs');
  });
  const adopt = (name: string, volume: string, more = {}) =>
    test.done(test.services.adoption.adopt(name, { volume, ...more }));

  it('lists what could become a workspace, with what holds it now', async () => {
    await test.create('mine');
    test.driver.addForeign('workspace-old', ['workspace-old']);
    assert.deepEqual(await test.services.adoption.list(), [
      {
        ...{ name: 'old', volume: 'workspace-old', origin: 'ws' },
        ...{ container: 'workspace-old', containerState: 'stopped', image: 'theirs:1' },
      },
      { name: 'user1', volume: 'sandkasten-ws-user1', origin: 'sandkasten' },
    ]);
  });

  it('lists a home that a delete has left as one of Berth', async () => {
    await test.create('left');
    await test.done(test.services.verbs.delete('left', { keepVolumes: true }));
    const left = (await test.services.adoption.list()).find(({ name }) => name === 'left');
    assert.deepEqual(left, { name: 'left', volume: 'workspace-left', origin: 'berth' });
  });

  it('makes a workspace of a volume, which stays as it is', async () => {
    const operation = await adopt('user1', 'sandkasten-ws-user1');
    assert.equal(operation.status, 'succeeded', JSON.stringify(operation.error));
    const workspace = test.services.workspaces.get('user1');
    assert.equal(workspace.state, 'running');
    assert.equal(workspace.homeVolume, 'sandkasten-ws-user1');
    assert.equal(workspace.spec.image, 'workspace:latest');
    assert.equal(test.driver.plans.get('workspace-user1')?.homeVolume, 'sandkasten-ws-user1');
    assert(!(await test.services.adoption.list()).some(({ name }) => name === 'user1'));
    await failure(adopt('twice', 'sandkasten-ws-user1'), 'in_use');
  });

  it('replaces a container only with consent, which says what goes; on its image where that is here', async () => {
    test.driver.addForeign('workspace-old', ['workspace-old']);
    test.driver.built = { ...test.driver.built, others: ['the UDP port 53'] };
    const error = await failure(adopt('old', 'workspace-old'), 'needs_confirmation');
    assert.equal(error.field, 'replaceContainer');
    assert.match(error.message, /removed: 312 files, 84 MiB\..* does not have: the UDP port 53\./);
    assert.match(error.hint ?? '', /`berth adopt old --yes`/);
    assert.equal(test.driver.runtimes.get('workspace-old')?.id, 'foreign-workspace-old');
    await failure(() => test.services.workspaces.get('old'), 'not_found');
    const operation = await adopt('old', 'workspace-old', { replaceContainer: true });
    assert.equal(operation.status, 'succeeded', JSON.stringify(operation.error));
    assert.equal(test.services.workspaces.get('old').spec.image, 'theirs:1');
    assert.notEqual(test.driver.runtimes.get('workspace-old')?.id, 'foreign-workspace-old');
    assert(!test.driver.aside.has('workspace-old'));
  });

  it('has what the container had: volumes, ports, variables, limits and the Docker inside', async () => {
    test.driver.addForeign('workspace-old', ['workspace-old']);
    const { first } = test.services.settings.portRange;
    test.driver.built = {
      ...{ env: { A: '1', '0bad': 'x' }, limits: { pids: 99 }, network: 'on', docker: true },
      ...{ dockerVolume: 'workspace-old-docker', others: [] },
      ports: [
        { host: first + 5, guest: 80 },
        { host: undefined, guest: 81 },
      ],
      mounts: [
        { kind: 'volume', source: 'workspace-old', target: '/workspace', readOnly: false },
        { kind: 'volume', source: 'unrelated', target: '/data', readOnly: true },
        { kind: 'volume', source: 'unrelated', target: '/proc/x', readOnly: false },
      ],
    };
    const { message } = await failure(adopt('old', 'workspace-old'), 'needs_confirmation');
    assert.match(message, /does not have: the volume unrelated at \/proc\/x \(.*\); the variable "0bad"\.$/);
    const { warnings } = await adopt('old', 'workspace-old', { replaceContainer: true });
    assert.match(
      warnings.join('\n'),
      /does not have: the volume unrelated at \/proc\/x \(.*\); the variable "0bad"\.$/,
    );
    const { spec, dockerVolume } = test.services.workspaces.get('old');
    assert.equal(dockerVolume, 'workspace-old-docker');
    assert.deepEqual([spec.env, spec.limits, spec.docker], [{ A: '1' }, { pids: 99 }, true]);
    assert.deepEqual(spec.mounts, [{ kind: 'volume', source: 'unrelated', target: '/data', readOnly: true }]);
    assert.deepEqual(spec.ports![0], { host: first + 5, guest: 80 });
    assert.deepEqual([spec.ports![1]?.guest, spec.ports![1]?.chosen], [81, true]);
    const plan = test.driver.plans.get('workspace-old');
    assert.deepEqual([plan?.env, plan?.docker, plan?.ports?.length], [{ A: '1' }, true, 2]);
  });

  it('says who has a port that the container had', async () => {
    await test.create('mine');
    const { sshPort } = test.services.workspaces.get('mine');
    test.driver.addForeign('workspace-old', ['workspace-old']);
    test.driver.built = { ...test.driver.built, ports: [{ host: sshPort, guest: 80 }] };
    const { warnings } = await adopt('old', 'workspace-old', { replaceContainer: true });
    assert.match(warnings.join(), new RegExp(`^Port ${sshPort} is taken by workspace mine: 80 inside`));
  });

  for (const [verb, state] of [
    ['stop', 'running'],
    ['setAside', 'running'],
    ['create', 'running'],
    ['start', 'stopped'],
    ['configure', 'running'],
    ['dropAside', 'paused'],
  ] as const) {
    it(`leaves a container that is ${state} as it was when "${verb}" fails`, async () => {
      test.driver.addForeign('workspace-old', ['workspace-old']);
      test.driver.runtimes.get('workspace-old')!.state = state;
      test.driver.fail(verb, new Error('no luck'));
      const operation = await adopt('old', 'workspace-old', { replaceContainer: true });
      assert.equal(operation.error?.message, 'no luck');
      await failure(() => test.services.workspaces.get('old'), 'not_found');
      const { id, state: now } = test.driver.runtimes.get('workspace-old')!;
      assert.equal(id, 'foreign-workspace-old');
      assert.equal(now === 'stopped', state === 'stopped');
      assert.equal((await adopt('old', 'workspace-old', { replaceContainer: true })).status, 'succeeded');
    });
  }

  for (const verb of ['pull', 'setAside', 'create', 'configure']) {
    it(`leaves the container as it was when the engine is killed at "${verb}"`, async () => {
      test.driver.addForeign('workspace-old', ['workspace-old']);
      test.driver.runtimes.get('workspace-old')!.state = 'running';
      const gate = test.driver.hold(verb);
      const image = verb === 'pull' ? { image: 'far:1' } : {};
      void adopt('old', 'workspace-old', { replaceContainer: true, ...image }).catch(() => undefined);
      await gate.entered;
      const next = await start({}, test.driver.afterKill());
      assert.deepEqual(next.services.workspaces.list(), []);
      const { id, state } = next.driver.runtimes.get('workspace-old')!;
      assert.deepEqual([id, state], ['foreign-workspace-old', 'running']);
      gate.open();
    });
  }

  it('is undone by a delete that comes before it could be: nothing of theirs is deleted', async () => {
    test.driver.addForeign('workspace-old', ['workspace-old']);
    test.driver.fail('create', new Error('no luck'));
    test.driver.fail('takeBack', new Error('not now'));
    await adopt('old', 'workspace-old', { replaceContainer: true });
    assert.equal(test.services.workspaces.get('old').state, 'error');
    await test.done(test.services.verbs.delete('old'));
    await failure(() => test.services.workspaces.get('old'), 'not_found');
    assert.equal(test.driver.runtimes.get('workspace-old')?.id, 'foreign-workspace-old');
    assert(test.driver.volumes.names.includes('workspace-old'));
  });

  it('refuses a volume that something else writes to', async () => {
    const holder = { runtime: 'sandkasten-1', state: 'running' as const, readOnly: false };
    test.driver.volumes.heldBy('sandkasten-ws-user1', holder);
    const { message } = await failure(adopt('user1', 'sandkasten-ws-user1'), 'in_use');
    assert.match(message, /in use by the container sandkasten-1 of another tool \(running\)/);
  });

  it('refuses to take what another one uses just now, which may have what it shares', async () => {
    test.driver.addForeign('workspace-old', ['workspace-old']);
    const { known } = test.driver.volumes;
    const holders = [{ runtime: 'workspace-y', state: 'running' as const, readOnly: false }];
    const mount = { kind: 'volume' as const, source: 'unrelated', target: '/data', readOnly: false };
    test.driver.built = { ...test.driver.built, mounts: [mount], dockerVolume: 'workspace-old-docker' };
    const all = { replaceContainer: true, takeOver: true };
    for (const owner of [{ installation: 'other' }, undefined]) {
      const name = owner === undefined ? 'workspace-old-docker' : 'unrelated';
      const before = known.get(name)!;
      known.set(name, { ...before, holders, ...(owner !== undefined && { owner }) });
      const { message } = await failure(adopt('old', 'workspace-old', all), 'in_use');
      assert.match(
        message,
        new RegExp(
          `^The volume ${name} is in use by the container workspace-y of another tool \\(running\\)`,
        ),
      );
      known.set(name, before);
    }
    known.set('unrelated', { ...known.get('unrelated')!, holders });
    assert.equal((await adopt('old', 'workspace-old', all)).status, 'succeeded');
  });

  it('knows an image without a tag by the name that it has everywhere', async () => {
    test.driver.images.known.set('workspace', 'sha256:w');
    test.driver.addForeign('workspace-old', ['workspace-old']);
    test.driver.runtimes.get('workspace-old')!.image = 'workspace';
    await adopt('old', 'workspace-old', { replaceContainer: true });
    assert.equal(test.services.workspaces.get('old').spec.image, 'workspace:latest');
  });

  it('takes the default image when theirs is gone, and the one asked for before all', async () => {
    test.driver.images.known.delete('theirs:1');
    test.driver.addForeign('workspace-old', ['workspace-old']);
    await adopt('old', 'workspace-old', { replaceContainer: true });
    assert.equal(test.services.workspaces.get('old').spec.image, 'workspace:latest');
    test.driver.images.known.set('debian:12', 'sha256:d');
    await adopt('user1', 'sandkasten-ws-user1', { image: 'debian:12' });
    assert.equal(test.services.workspaces.get('user1').spec.image, 'debian:12');
  });

  for (const verb of ['create', 'start', 'configure']) {
    it(`is a stopped workspace that says why when "${verb}" fails; nothing runs, nothing is lost`, async () => {
      test.driver.fail(verb, new Error('no luck'));
      assert.equal((await adopt('old', 'workspace-old')).status, 'failed');
      const workspace = test.services.workspaces.get('old');
      assert.equal(workspace.state, 'stopped');
      assert.equal(workspace.problem?.message, 'no luck');
      assert.notEqual(test.driver.runtimes.get('workspace-old')?.state, 'running');
      assert(test.driver.volumes.names.includes('workspace-old'));
      assert.equal((await test.done(test.services.verbs.start('old'))).status, 'succeeded');
    });
  }

  it('refuses a name that is taken and a volume that is not there', async () => {
    await test.create('mine');
    await failure(adopt('mine', 'workspace-old'), 'exists');
    assert.equal((await failure(adopt('new', 'none'), 'not_found')).field, 'volume');
    assert.match(
      (await failure(adopt('new', 'workspace-mine'), 'in_use')).message,
      /belongs to workspace mine/,
    );
  });

  it('takes nothing over when not all can be', async () => {
    test.driver.addForeign('workspace-old', ['workspace-old']);
    const owner = { installation: 'other' };
    for (const name of ['workspace-old', 'unrelated']) {
      test.driver.volumes.known.set(name, { ...test.driver.volumes.known.get(name)!, owner });
    }
    const source = 'unrelated';
    const mounts = [{ kind: 'volume' as const, source, target: '/data', readOnly: false }];
    test.driver.built = { ...test.driver.built, mounts };
    const methods = Object.getOwnPropertyDescriptors(AdoptedVolumes.prototype);
    const kept = new Set<string>();
    AdoptedVolumes.prototype.add = ({ name }) =>
      name === source ? Promise.reject(new Error('full')) : Promise.resolve(void kept.add(name));
    AdoptedVolumes.prototype.forget = (name) => Promise.resolve(void kept.delete(name));
    try {
      const all = { replaceContainer: true, takeOver: true };
      await assert.rejects(adopt('old', 'workspace-old', all), /full/);
    } finally {
      Object.defineProperties(AdoptedVolumes.prototype, methods);
    }
    assert.deepEqual([...kept], []);
    await failure(() => test.services.workspaces.get('old'), 'not_found');
  });

  it('gives its port back when the name was taken meanwhile', async () => {
    const results = await Promise.allSettled([
      test.services.adoption.adopt('old', { volume: 'workspace-old' }),
      test.services.adoption.adopt('old', { volume: 'workspace-old' }),
    ]);
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    await test.engine.services.operations.close();
    await test.create('next');
    const { first } = test.services.settings.portRange;
    assert.equal(test.services.workspaces.get('next').sshPort, first + 1);
  });
});
