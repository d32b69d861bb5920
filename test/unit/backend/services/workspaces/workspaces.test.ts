import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { BerthError } from '../../../../../src/api/errors';
import type { Operation } from '../../../../../src/api/operations/schemas';
import type { WorkspaceState } from '../../../../../src/api/workspaces/schemas';
import { useDemo } from '../../../../support/engine/demo';
import type { TestEngine } from '../../../../support/engine/engine';
import { failure } from '../../../../support/errors';
import { turns, until } from '../../../../support/wait';

type PlainVerb = 'start' | 'stop' | 'restart' | 'pause' | 'resume' | 'archive' | 'restore' | 'recover';

describe('services/workspaces/workspaces', () => {
  const { engine, start, workspace, runtime, did } = useDemo();
  let test: TestEngine;
  beforeEach(() => (test = engine()));

  const run = (verb: PlainVerb): Promise<Operation> => test.done(test.services.verbs[verb]('demo'));
  const statesSeen = () =>
    test
      .payloads('workspace.changed')
      .map(({ state }) => state)
      .filter((state, index, all) => state !== all[index - 1]);

  /** Brings it to `error`, as a create that was cut off would. */
  async function toError(): Promise<void> {
    test.driver.fail('remove', new BerthError('internal', 'stuck'));
    await test.done(test.services.verbs.delete('demo'));
    assert.equal(workspace().state, 'error');
  }

  const paths: [PlainVerb[], WorkspaceState][] = [
    [['stop'], 'stopped'],
    [['stop', 'start'], 'running'],
    [['pause'], 'paused'],
    [['pause', 'resume'], 'running'],
    [['pause', 'start'], 'running'],
    [['pause', 'stop'], 'stopped'],
    [['restart'], 'running'],
    [['stop', 'restart'], 'running'],
    [['archive'], 'archived'],
    [['pause', 'archive'], 'archived'],
    [['stop', 'archive', 'restore'], 'running'],
  ];
  for (const [verbs, end] of paths) {
    it(`${verbs.join(', ')}: ends ${end}, the runtime too`, async () => {
      for (const verb of verbs) {
        const operation = await run(verb);
        assert.equal(operation.status, 'succeeded', JSON.stringify(operation.error));
        assert.equal(operation.kind, `workspace.${verb}`);
      }
      assert.equal(workspace().state, end);
      assert.equal(runtime()?.state, end === 'archived' ? 'stopped' : end);
      assert.deepEqual(test.driver.volumes.names, ['workspace-demo']);
      assert.equal(workspace().sshPort, test.services.settings.portRange.first, 'its port stays its own');
      const record = JSON.parse(await readFile(test.state.workspaceRecord('demo'), 'utf8')) as {
        state: string;
      };
      assert.equal(record.state, end);
    });
  }

  it('archive and restore keep the very runtime, with its own files, and say how much that is', async () => {
    const id = runtime()?.id;
    await run('archive');
    assert(!did('remove'));
    const { files, bytes } = workspace().ownFiles ?? assert.fail('not measured');
    assert.deepEqual([files, bytes], [312, 84 * 1024 * 1024]);
    await run('restore');
    assert.equal(runtime()?.id, id);
    assert(!did('remove'));
  });

  it('says once that the runtime was gone when it was archived, with all its own files', async () => {
    await run('stop');
    test.driver.behindOurBack('workspace-demo', 'removed');
    const { warnings } = await run('archive');
    assert.match(warnings.join(), /removed by another program: what lay outside of volumes is gone/);
    assert.deepEqual(
      test.services.workspaces.get('demo').warnings.map(({ code }) => code),
      ['runtime-gone-before-archive'],
    );
    const restored = await run('restore');
    assert.deepEqual([restored.status, restored.warnings], ['succeeded', []]);
    assert.deepEqual(test.services.workspaces.get('demo').warnings, []);
  });

  it('archives also when the size can not be told', async () => {
    test.driver.fail('ownFiles', new Error('no'));
    assert.equal((await run('archive')).status, 'succeeded');
    assert.equal(workspace().ownFiles, undefined);
  });

  it('shows the state in between, and ends it', async () => {
    const gate = test.driver.hold('stop');
    const operation = test.services.verbs.stop('demo');
    assert.equal(workspace().state, 'stopping', 'at once');
    await gate.entered;
    assert.deepEqual(workspace().operations, [operation.id]);
    const error = await failure(() => test.services.verbs.pause('demo'), 'illegal_state');
    assert.equal(error.message, "Workspace demo is stopping: it can't pause now.");
    gate.open();
    await test.done(operation);
    assert.deepEqual(statesSeen().slice(-2), ['stopping', 'stopped']);
    assert.equal(workspace().startedAt, undefined);
  });

  it('changes nothing when it is there already, and says so', async () => {
    const first = await run('start');
    assert.deepEqual([first.status, first.result], ['succeeded', { changed: false }]);
    await run('stop');
    test.driver.calls.length = 0;
    assert.deepEqual((await run('stop')).result, { changed: false });
    assert.deepEqual(test.driver.calls, ['inspect workspace-demo']);
    // Somebody else: nothing was done about it, and a try again does it.
    await test.driver.start('workspace-demo');
    const { error } = await run('stop');
    assert.match(error?.message ?? '', /demo has just changed: it is running, no longer stopped/);
  });

  it('does not say that there is nothing to do while nobody knows', async () => {
    test.driver.down = true;
    const { status, error } = await run('start');
    assert.deepEqual([status, error?.code], ['failed', 'runtime_unavailable']);
    assert.equal(workspace().state, 'running');
  });

  it('takes one of two verbs at the same instant, and refuses the other', async () => {
    const [first, second] = await Promise.allSettled([
      Promise.resolve().then(() => test.services.verbs.stop('demo')),
      Promise.resolve().then(() => test.services.verbs.restart('demo')),
    ]);
    assert.deepEqual([first.status, second.status], ['fulfilled', 'rejected']);
    await test.done(first.status === 'fulfilled' ? first.value : assert.fail());
    assert.equal(workspace().state, 'stopped');
  });

  it('waits with who asks for what is under way already', async () => {
    const { verbs } = test.services;
    for (const [verb, others, gateAt] of [
      ['stop', ['stop'], 'stop'],
      ['start', ['start', 'resume'], 'configure'],
      ['pause', ['pause'], 'pause'],
      ['resume', ['start', 'resume'], 'resume'],
      ['restart', ['start'], 'configure'],
    ] as const) {
      const gate = test.driver.hold(gateAt);
      const first = verbs[verb]('demo');
      await gate.entered;
      others.forEach((other) => assert.equal(verbs[other]('demo').id, first.id, `${other} in ${verb}`));
      const against = verb === 'stop' ? 'start' : 'stop';
      await failure(() => verbs[against]('demo'), 'illegal_state');
      gate.open();
      assert.equal((await test.done(first)).status, 'succeeded', verb);
    }
  });

  it('notes that it had to be killed, until it stops in peace', async () => {
    test.driver.killsOnStop = true;
    await run('stop');
    assert.deepEqual(workspace().warnings, [
      { code: 'killed', message: 'It did not stop within 10 s and was killed.' },
    ]);
    test.driver.killsOnStop = false;
    await run('restart');
    assert.deepEqual(workspace().warnings, []);
  });

  describe('when something fails', () => {
    it('start: is stopped, says why, and starts again', async () => {
      await run('stop');
      test.driver.fail('start', new BerthError('in_use', 'the disk has another user', { hint: 'Free it.' }));
      const operation = await run('start');
      assert.equal(operation.error?.code, 'in_use');
      assert.equal(workspace().state, 'stopped');
      assert.deepEqual(workspace().problem, {
        ...{ code: 'in_use', message: 'the disk has another user', step: 'start', hint: 'Free it.' },
      });
      await run('start');
      assert.equal(workspace().problem, undefined);
    });

    it('start: does not leave a runtime that nobody can log into', async () => {
      await run('stop');
      test.driver.fail('configure', new Error('sshd does not answer'));
      await run('start');
      assert.equal(runtime()?.state, 'stopped');
      assert.equal(workspace().state, 'stopped');
    });

    it('stop: is what the runtime is', async () => {
      test.driver.fail('stop', new Error('no'));
      await run('stop');
      assert.equal(workspace().state, 'running');
      assert.equal(workspace().problem?.step, 'stop');
      assert.equal(runtime()?.state, 'running');
    });

    it('pause, resume: are what the runtime is', async () => {
      test.driver.fail('pause', new BerthError('not_supported', 'no freezer'));
      await run('pause');
      assert.equal(workspace().state, 'running');
      await run('pause');
      test.driver.fail('resume', new Error('no'));
      await run('resume');
      assert.equal(workspace().state, 'paused');
    });

    it('the daemon is gone: keeps the state that was known', async () => {
      test.driver.down = true;
      const operation = await run('stop');
      assert.equal(operation.error?.code, 'runtime_unavailable');
      assert.equal(workspace().state, 'running');
      assert.equal(workspace().problem?.code, 'runtime_unavailable');
    });

    it('the runtime vanished: stopped, not lost', async () => {
      test.driver.runtimes.clear();
      await run('pause');
      assert.equal(workspace().state, 'stopped');
    });

    it('restore: stays archived', async () => {
      await run('archive');
      test.driver.fail('start', new Error('no'));
      await run('restore');
      assert.equal(workspace().state, 'archived');
      assert.equal((await run('restore')).status, 'succeeded');
    });

    it('cancelled: no problem, and the state is what the runtime is', async () => {
      await run('stop');
      const gate = test.driver.hold('configure');
      const operation = test.services.verbs.start('demo');
      await gate.entered;
      test.services.operations.cancel(operation.id);
      assert.equal((await test.done(operation)).status, 'cancelled');
      assert.equal(workspace().state, 'stopped');
      assert.equal(workspace().problem, undefined);
      assert.equal(runtime()?.state, 'stopped');
    });

    it('the engine ends in the middle: cancelled, not a problem', async () => {
      await run('stop');
      const gate = test.driver.hold('configure');
      test.services.verbs.start('demo');
      await gate.entered;
      await test.engine.close();
      assert.equal(workspace().state, 'stopped');
      assert.equal(workspace().problem, undefined);
    });
  });

  describe('recover', () => {
    beforeEach(toError);
    beforeEach(async () => {
      await test.driver.stop('workspace-demo', 0);
      test.driver.calls.length = 0;
    });

    it('keeps the runtime that is there, with its own files', async () => {
      const id = runtime()?.id;
      assert.equal((await run('recover')).status, 'succeeded');
      assert.equal(workspace().state, 'running');
      assert.equal(workspace().problem, undefined);
      assert.equal(runtime()?.id, id);
      assert(!did('remove'));
    });

    it('builds one where there is none, on the same volume', async () => {
      test.driver.runtimes.clear();
      assert.equal((await run('recover')).status, 'succeeded');
      assert.equal(runtime()?.state, 'running');
    });

    it('tries three times, telling each, and no more', async () => {
      const passing = new BerthError('runtime_unavailable', 'not yet');
      test.driver.fail('start', passing, passing);
      const operation = await run('recover');
      assert.equal(operation.status, 'succeeded');
      assert.equal(operation.warnings.length, 2);
      assert.match(operation.warnings[0] ?? '', /not yet Trying again in/);
      await toError();
      test.driver.calls.length = 0;
      test.driver.fail('start', passing, passing, passing);
      assert.equal((await run('recover')).error?.message, 'not yet');
      assert.equal(workspace().state, 'error');
      assert.equal(workspace().problem?.step, 'recover');
      assert.equal(test.driver.calls.filter((call) => call.startsWith('start')).length, 3);
    });

    it('does not try again what can not pass', async () => {
      test.driver.runtimes.clear();
      test.driver.images.known.clear();
      test.driver.fail('build', new BerthError('image_missing', 'no base image'));
      const operation = await run('recover');
      assert.deepEqual([operation.error?.code, operation.warnings], ['image_missing', []]);
      assert.equal(workspace().state, 'error');
    });
  });

  it('recover waits between its tries, and can be cancelled there', async () => {
    await test.engine.close();
    test = await start({ recoverDelaysMs: [60_000, 1, 1] }, test.driver);
    await toError();
    test.driver.fail('start', new BerthError('runtime_unavailable', 'not yet'));
    const operation = test.services.verbs.recover('demo');
    for (; operation.warnings.length === 0;) {
      await test.services.operations.wait(operation.id, 5);
    }
    test.services.operations.cancel(operation.id);
    assert.equal((await test.done(operation)).status, 'cancelled');
    assert.equal(workspace().state, 'error');
  });

  describe('update', () => {
    it('makes changes one after the other: none takes what another has set', async () => {
      const gate = test.driver.hold('setPorts');
      const { workspaces } = test.services;
      const first = workspaces.update('demo', { secrets: { A: '1' }, ports: [{ guest: 80 }] });
      await gate.entered;
      const second = workspaces.update('demo', { secrets: { B: '2' }, env: { C: '3' } });
      await turns();
      gate.open();
      await Promise.all([first, second]);
      const { secretNames, ports, env } = workspaces.get('demo').spec;
      assert.deepEqual(secretNames, ['A', 'B']);
      assert.equal(ports?.[0]?.guest, 80);
      assert.deepEqual(env, { C: '3' });
    });

    it('changes label, environment, idle policy, and says nothing of secrets but names', async () => {
      const shown = await test.services.workspaces.update('demo', {
        ...{ label: 'New', env: { A: '1' }, idle: { stopAfter: 9 }, secrets: { KEY: 'v', OTHER: 'w' } },
      });
      assert.equal(shown.label, 'New');
      assert.equal(shown.name, 'demo');
      assert.deepEqual(shown.spec.secretNames, ['KEY', 'OTHER']);
      assert.deepEqual(shown.spec.idle, { stopAfter: 9 });
      assert(!JSON.stringify(shown).includes('"v"'));
    });

    it('applies limits live, and tells what needs a rebuild, until it is rebuilt', async () => {
      await test.services.workspaces.update('demo', { limits: { cpus: 2 } });
      await test.services.workspaces.update('demo', { limits: { memoryMiB: 512, shmMiB: 64 } });
      assert.deepEqual(workspace().spec.limits, { cpus: 2, memoryMiB: 512, shmMiB: 64 });
      assert.equal(workspace().warnings[0]?.code, 'limits');
      await test.done(test.services.verbs.rebuild('demo', { confirm: true }));
      assert.deepEqual(workspace().warnings, []);
      assert.deepEqual(test.driver.plans.get('workspace-demo')?.limits, workspace().spec.limits);
    });

    it('tells which limits wait for the next start alone, until that', async () => {
      const shown = await test.services.workspaces.update('demo', { limits: { pids: 50 } });
      assert.deepEqual(
        shown.warnings.map(({ message, hint }) => [message, hint]),
        [['Takes effect with the next start: processes.', '`berth restart demo` does that.']],
      );
      await test.done(test.services.verbs.restart('demo'));
      assert.deepEqual(workspace().warnings, []);
    });

    it('keeps limits that are not named, and takes away those that are null', async () => {
      await test.services.workspaces.update('demo', { limits: { cpus: 2, memoryMiB: 512 } });
      const shown = await test.services.workspaces.update('demo', { limits: { memoryMiB: null } });
      assert.deepEqual(shown.spec.limits, { cpus: 2 });
    });

    it('changes nothing when the limits are refused', async () => {
      test.driver.fail('setLimits', new BerthError('bad_request', 'too much memory'));
      await failure(
        test.services.workspaces.update('demo', { label: 'New', limits: { memoryMiB: 99 } }),
        'bad_request',
      );
      assert.equal(workspace().label, 'demo');
      assert.equal(workspace().spec.limits, undefined);
    });

    it('does not ask a runtime that is not there', async () => {
      await run('archive');
      test.driver.behindOurBack('workspace-demo', 'removed');
      await until('that is noticed', () => workspace().runtimeId === undefined);
      test.driver.calls.length = 0;
      await test.services.workspaces.update('demo', { limits: { cpus: 1 } });
      assert.deepEqual(test.driver.calls, []);
    });
  });

  it('knows no workspace that is not there', async () => {
    for (const call of [
      () => test.services.workspaces.get('none'),
      () => test.services.verbs.start('none'),
      () => test.services.verbs.delete('none'),
    ]) {
      const error = await failure(call, 'not_found');
      assert.equal(error.message, 'There is no workspace none.');
    }
    await failure(test.services.verbs.rebuild('none'), 'not_found');
  });
});
