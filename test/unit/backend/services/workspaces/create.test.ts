import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../../../../src/api/errors';
import type { Operation } from '../../../../../src/api/operations/schemas';
import { useEngine, type TestEngine } from '../../../../support/engine/engine';
import { failure } from '../../../../support/errors';
import { occupy, vacate } from '../../../../support/ports';

describe('services/workspaces/create', () => {
  const { start } = useEngine();
  let test: TestEngine;
  beforeEach(async () => (test = await start()));

  /** What a create that failed must not leave: anywhere. */
  async function assertNothingLeft(name: string): Promise<void> {
    const { driver, services, state } = test;
    await failure(() => services.workspaces.get(name), 'not_found');
    assert.deepEqual([...driver.runtimes.keys()], []);
    assert.deepEqual(driver.volumes.names, []);
    assert.deepEqual(await readdir(state.workspaces), []);
    assert.deepEqual(await readdir(state.hostKeys), []);
    assert(!(await readFile(state.sshConfig, 'utf8')).includes(name));
    assert.equal(existsSync(state.secrets) && (await readFile(state.secrets, 'utf8')).includes(name), false);
    assert.deepEqual(test.payloads('workspace.deleted'), [{ name }]);
    const again = await test.create(name);
    assert.equal(again.status, 'succeeded', 'and its name and port are free again');
    assert.equal(services.workspaces.get(name).sshPort, services.settings.portRange.first);
  }

  it('mounts a session volume by its id, unless there is a volume of just that name', async () => {
    test.driver.volumes.add('sandkasten-ws-user1');
    test.driver.volumes.add('sandkasten-ws-data');
    test.driver.volumes.add('data');
    const volumes = ['user1:/a', 'data:/b', 'new:/c'];
    assert.equal((await test.create('demo', { volumes })).status, 'succeeded');
    const sources = ['sandkasten-ws-user1', 'data', 'new'];
    const { spec } = test.services.workspaces.get('demo');
    assert.deepEqual(
      spec.mounts?.map(({ source }) => source),
      sources,
    );
    const plan = test.driver.plans.get('workspace-demo');
    assert.deepEqual(
      plan?.mounts.map(({ source }) => source),
      sources,
    );
  });

  it('makes a workspace that runs: every step with its time, everything of it in place', async () => {
    const operation = await test.create('demo', {
      env: { A: 'b' },
      label: 'My demo',
      secrets: { TOKEN: 's3cret' },
    });
    assert.equal(operation.status, 'succeeded', JSON.stringify(operation.error));
    assert.deepEqual(
      operation.steps.map(({ name, outcome }) => `${name} ${outcome}`),
      ['image done', 'container done', 'runtime done', 'start done', 'ssh done'],
    );
    assert(operation.steps.every(({ ms }) => ms !== undefined));
    const workspace = test.services.workspaces.get('demo');
    assert.equal(workspace.state, 'running');
    assert.equal(workspace.label, 'My demo');
    assert.equal(workspace.runtimeName, 'workspace-demo');
    assert.equal(workspace.homeVolume, 'workspace-demo');
    assert.equal(workspace.sshAlias, 'berth-demo');
    assert.equal(workspace.sshPort, test.services.settings.portRange.first);
    assert.deepEqual(workspace.spec.secretNames, ['TOKEN']);
    assert.equal(workspace.steps.length, 5);
    const plan = test.driver.configured.get('workspace-demo');
    assert.deepEqual(plan?.env, { A: 'b', TOKEN: 's3cret' });
    assert.match(plan.hostKey, /OPENSSH PRIVATE KEY/);
    assert.deepEqual(
      test.driver.plans.get('workspace-demo')?.env,
      { A: 'b' },
      'no secret in the runtime plan',
    );
    const record = await readFile(test.state.workspaceRecord('demo'), 'utf8');
    assert(!record.includes('s3cret'));
    assert(!JSON.stringify(test.events).includes('s3cret'));
    assert.match(await readFile(test.state.sshConfig, 'utf8'), /Host berth-demo/);
  });

  it('leaves it stopped if told so', async () => {
    await test.create('demo', { start: false });
    assert.equal(test.services.workspaces.get('demo').state, 'stopped');
    assert.equal(test.driver.runtimes.get('workspace-demo')?.state, 'stopped');
    assert(!test.driver.calls.includes('start workspace-demo'));
  });

  it('tells the end to those that watch the workspace: no operation any more', async () => {
    await test.create('demo');
    const last = test.payloads('workspace.changed').at(-1);
    assert.deepEqual(last?.operations, []);
    assert.equal(last.state, 'running');
    assert(test.payloads('workspace.changed').some(({ operations }) => operations.length === 1));
  });

  for (const verb of ['resolve', 'create', 'start', 'configure']) {
    it(`leaves nothing when "${verb}" fails`, async () => {
      test.driver.fail(verb, new BerthError('internal', `${verb} is broken`));
      const operation = await test.create('demo', { secrets: { A: 'b' } });
      assert.equal(operation.status, 'failed');
      assert.equal(operation.error?.message, `${verb} is broken`);
      await assertNothingLeft('demo');
    });
  }

  for (const verb of ['resolve', 'create', 'start', 'configure', 'startDocker', 'exec']) {
    it(`leaves nothing when it is cancelled in "${verb}"`, async () => {
      const gate = test.driver.hold(verb);
      const operation = await test.services.creator.create({
        ...{ name: 'demo', docker: true, cloneUrl: 'https://example.org/a.git' },
      });
      await gate.entered;
      test.services.operations.cancel(operation.id);
      gate.open();
      assert.equal((await test.done(operation)).status, 'cancelled');
      await assertNothingLeft('demo');
    });
  }

  it('keeps a volume that was there before, whatever fails', async () => {
    test.driver.volumes.add('workspace-demo');
    test.driver.fail('configure', new Error('no'));
    await test.create('demo', { docker: true });
    assert.deepEqual(test.driver.volumes.names, ['workspace-demo'], 'and not the other one it made');
    assert.equal(test.driver.runtimes.size, 0);
  });

  it('has the end of its log in the error, as the log goes with it', async () => {
    const hint = 'Its log says why: `berth logs` with its name.';
    test.driver.fail(
      'configure',
      new BerthError('runtime_unavailable', 'The virtual machine ended.', { hint }),
    );
    const { error } = await test.create('demo');
    assert.equal(error?.code, 'runtime_unavailable');
    assert.equal(error.message, 'The virtual machine ended. Its log ended with: tail 5');
    assert.doesNotMatch(error.hint ?? '', /berth logs/);
    await assertNothingLeft('demo');
  });

  it('tells nobody to start what is gone, but to create it again', async () => {
    const options = { first: 'Free some space there.', remedy: 'start' as const };
    test.driver.fail('start', new BerthError('no_space', 'The disk is full.', options));
    const { error } = await test.create('demo');
    assert.equal(error?.hint, 'Free some space there. Then create it again.');
    assert.equal(error.remedy, 'create');
    await assertNothingLeft('demo');
  });

  it('takes another port when the first start of a create is refused the one it has', async () => {
    const { first } = test.services.settings.portRange;
    test.driver.fail(
      'start',
      new BerthError('in_use', `listen tcp4 127.0.0.1:${first}: bind: address already in use`),
    );
    const operation = await test.create('demo');
    assert.equal(operation.status, 'succeeded', JSON.stringify(operation.error));
    const { sshPort, warnings, state } = test.services.workspaces.get('demo');
    assert.equal(state, 'running');
    assert.equal(sshPort, first + 1);
    assert.equal(test.driver.plans.get('workspace-demo')?.sshPort, first + 1);
    assert.match(await readFile(test.state.sshConfig, 'utf8'), new RegExp(`Port ${first + 1}`));
    assert.deepEqual(
      warnings.map(({ code }) => code),
      [],
      'nobody has known the first one',
    );
    await test.create('other');
    assert.equal(test.services.workspaces.get('other').sshPort, first, 'it is free for others');
  });

  it('creates nothing when every port is refused', async () => {
    const refused = () =>
      new BerthError('in_use', 'Bind for 127.0.0.1: port is already allocated', { remedy: 'start' });
    test.driver.fail('start', refused(), refused());
    const { error } = await test.create('demo');
    assert.equal(error?.code, 'in_use');
    assert.equal(error.remedy, 'create');
    await assertNothingLeft('demo');
  });

  it('neither uses nor removes a container that has the name already', async () => {
    test.driver.addForeign('workspace-demo', ['workspace-demo']);
    test.driver.volumes.add('workspace-demo');
    const operation = await test.create('demo');
    assert.equal(operation.error?.code, 'exists');
    assert.match(operation.error.hint ?? '', /berth adopt/);
    assert.equal(test.driver.runtimes.get('workspace-demo')?.id, 'foreign-workspace-demo');
    assert.deepEqual(test.driver.volumes.names, ['workspace-demo']);
    await failure(() => test.services.workspaces.get('demo'), 'not_found');
  });

  it('pulls another image that is missing, with progress', async () => {
    const operation = await test.create('demo', { image: 'debian:12' });
    assert.equal(operation.status, 'succeeded');
    assert(test.payloads('operation.changed').some(({ progress }) => progress?.unit === 'bytes'));
    assert.equal(test.services.workspaces.get('demo').spec.image, 'debian:12');
  });

  it('says what of its image can not be had', async () => {
    const prepare = () => Promise.resolve(['"/x" is a link to nothing and was left out.']);
    Object.assign(test.driver.images, { prepare });
    const { status, warnings } = await test.create('demo');
    assert.equal(status, 'succeeded');
    assert.deepEqual(warnings, ['The image workspace:latest: "/x" is a link to nothing and was left out.']);
  });

  it('leaves a record that can be recovered or deleted when cleaning up fails as well', async () => {
    test.driver.fail('configure', new Error('no sshd'));
    test.driver.fail('remove', new BerthError('runtime_unavailable', 'gone'));
    const operation = await test.create('demo');
    assert.equal(operation.error?.message, 'no sshd');
    const { state, problem } = test.services.workspaces.get('demo');
    assert.equal(state, 'error');
    assert.equal(problem?.message, 'Create failed, and so did cleaning up: gone');
    assert.equal((await test.done(test.services.verbs.recover('demo'))).status, 'succeeded');
    assert.equal(test.services.workspaces.get('demo').state, 'running');
  });

  it('goes on from a create that was cut off in its pull, and pulls for whatever finds no runtime', async () => {
    await test.create('cut', { image: 'debian:12' });
    await test.engine.close();
    const path = test.state.workspaceRecord('cut');
    const { runtimeId, imageId, ...record } = JSON.parse(await readFile(path, 'utf8')) as Record<
      string,
      unknown
    >;
    assert(runtimeId !== undefined && imageId !== undefined);
    await writeFile(path, JSON.stringify({ ...record, state: 'creating' }));
    const { driver } = test;
    const lose = (): void => {
      driver.runtimes.clear();
      driver.images.known.delete('debian:12');
      driver.calls.length = 0;
    };
    lose();
    test = await start({}, driver);
    const { verbs } = test.services;
    assert.equal(test.services.workspaces.get('cut').state, 'error');
    const pulls = async (operation: Operation): Promise<void> => {
      const { kind, status, error, steps } = await test.done(operation);
      assert.equal(status, 'succeeded', `${kind}: ${JSON.stringify(error)}`);
      assert(driver.calls.includes('pull debian:12'), kind);
      assert(
        steps.some(({ name }) => name === 'image'),
        kind,
      );
    };
    await pulls(verbs.recover('cut'));
    await test.done(verbs.stop('cut'));
    lose();
    await pulls(verbs.start('cut'));
    await test.done(verbs.archive('cut'));
    lose();
    await pulls(verbs.restore('cut'));
  });

  it('refuses a name that is taken, at once, also by a create that has just begun', async () => {
    const [first, ...others] = await Promise.allSettled(
      Array.from({ length: 5 }, () => test.services.creator.create({ name: 'demo' })),
    );
    assert.equal(first?.status, 'fulfilled');
    for (const other of others) {
      assert(other.status === 'rejected' && other.reason instanceof BerthError);
      assert.equal(other.reason.code, 'exists');
      assert.equal(other.reason.message, "Workspace 'demo' already exists");
      assert.equal(other.reason.field, 'name');
    }
    await test.done(first.value);
    await test.create('next');
    const { first: port } = test.services.settings.portRange;
    assert.equal(test.services.workspaces.get('next').sshPort, port + 1, 'the losers gave their ports back');
  });

  it('makes ten at once, each with its own port', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `w${index}`);
    const ended = await Promise.all(names.map((name) => test.create(name)));
    assert(ended.every(({ status }) => status === 'succeeded'));
    const ports = test.services.workspaces.list().map(({ sshPort }) => sshPort);
    assert.equal(new Set(ports).size, 10);
  });

  it('leaves nothing when its record can not be written', async () => {
    await writeFile(test.state.workspace('demo'), 'a file in the way');
    await assert.rejects(test.services.creator.create({ name: 'demo' }));
    await failure(() => test.services.workspaces.get('demo'), 'not_found');
    assert.equal(await readFile(test.state.workspace('demo'), 'utf8'), 'a file in the way');
    await rm(test.state.workspace('demo'));
    const operation = await test.create('demo');
    assert.equal(operation.status, 'succeeded');
    assert.equal(test.services.workspaces.get('demo').sshPort, test.services.settings.portRange.first);
  });

  it('leaves nothing when its secrets can not be kept', async () => {
    await mkdir(join(test.state.secrets));
    await assert.rejects(test.services.creator.create({ name: 'demo', secrets: { A: 'b' } }));
    await chmod(test.state.secrets, 0o700);
    assert.deepEqual(await readdir(test.state.workspaces), []);
    await failure(() => test.services.workspaces.get('demo'), 'not_found');
  });

  it('takes another port when somebody else has one', async () => {
    const { first } = test.services.settings.portRange;
    const server = await occupy(first, '127.0.0.1');
    await test.create('demo');
    await vacate(server);
    assert.equal(test.services.workspaces.get('demo').sshPort, first + 1);
  });

  it('refuses bad input before anything happens, naming the field', async () => {
    const cases: [Parameters<TestEngine['create']>[1], string][] = [
      [{ volumes: ['/home/me:/src'] }, 'volumes.0'],
      [{ cloneUrl: 'https://me:password@example.org/a.git' }, 'cloneUrl'],
      [{ cloneUrl: 'nonsense' }, 'cloneUrl'],
      [{ runtime: 'microvm' }, 'runtime'],
      [{ network: 'host-loopback' }, 'network'],
    ];
    for (const [more, field] of cases) {
      const error = await failure(test.services.creator.create({ name: 'demo', ...more }));
      assert.equal(error.field, field, error.message);
      assert(!error.message.includes('password@'));
    }
    assert.deepEqual(
      test.driver.calls.filter((call) => call.includes('demo')),
      [],
    );
    assert.deepEqual(await readdir(test.state.workspaces), []);
  });

  it('refuses a folder of this machine for a container of another one, before anything is made', async () => {
    test.driver.isElsewhere = true;
    const shared = { ...test.driver.volumes.add('shared'), kind: 'directory' as const, path: '/v/shared' };
    test.driver.volumes.known.set('shared', shared);
    const wanted = { name: 'demo', volumes: ['other:/o', 'shared:/data'] };
    const error = await failure(test.services.creator.create(wanted), 'not_supported');
    assert.equal(error.field, 'volumes.1');
    assert.match(error.message, /shared is a folder of this machine, and the container would be on box/);
    assert.match(error.hint ?? '', /kind `docker`/);
    assert.deepEqual(await readdir(test.state.workspaces), []);
    assert.equal(test.driver.runtimes.size, 0);
  });

  it('says where a workspace runs, and makes none where it is not asked to', async () => {
    await test.create('here', { target: 'local' });
    assert.equal(test.services.workspaces.get('here').spec.target, 'local');
    const error = await failure(
      test.services.creator.create({ name: 'demo', target: 'moon' }),
      'not_supported',
    );
    assert.deepEqual(
      [error.field, /"moon".* this machine \(`local`\)/.test(error.message)],
      ['target', true],
    );
    test.driver.isElsewhere = true;
    await test.create('there', { target: 'box' });
    assert.equal(test.services.workspaces.get('there').spec.target, 'box');
    const wrong = await failure(test.services.creator.create({ name: 'demo', target: 'local' }));
    assert.deepEqual([wrong.field, wrong.hint?.includes('"box"')], ['target', true]);
  });

  it('takes what the settings say by default', async () => {
    await test.services.settings.change({ defaultImage: 'debian:12', idle: { stopAfter: 5 } });
    await test.create('demo', { idle: { pauseAfter: 1 } });
    const { spec } = test.services.workspaces.get('demo');
    assert.equal(spec.image, 'debian:12');
    assert.deepEqual(spec.idle, { stopAfter: 5, pauseAfter: 1 });
  });
});
