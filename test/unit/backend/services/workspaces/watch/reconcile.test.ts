import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkspaceState } from '../../../../../../src/api/workspaces/schemas';
import { useEngine, type TestEngine } from '../../../../../support/engine/engine';
import { turns, until } from '../../../../../support/wait';

describe('services/workspaces/watch/reconcile', () => {
  const { start, home } = useEngine();
  let test: TestEngine;
  beforeEach(async () => {
    test = await start();
    await test.create('demo');
  });

  const name = 'workspace-demo';
  const workspace = () => test.services.workspaces.get('demo');
  const quiet = () => until('all operations have ended', () => test.services.operations.runningCount === 0);

  /** The engine was killed, the record is as given, and it starts again. */
  async function killed(patch: Record<string, unknown> = {}, meanwhile?: () => void): Promise<void> {
    const path = test.state.workspaceRecord('demo');
    const record = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    await test.engine.close();
    await writeFile(path, JSON.stringify({ ...record, ...patch }));
    test.driver.configured.clear();
    test.driver.calls.length = 0;
    meanwhile?.();
    test = await start({}, test.driver);
    await quiet();
  }
  const did = (verb: string) => test.driver.calls.includes(`${verb} ${name}`);

  it('adopts what runs, as it was, and leaves it alone', async () => {
    const before = workspace();
    await killed();
    assert.deepEqual(workspace(), before);
    assert(!did('start') && !did('configure') && !did('stop'));
  });

  const seen: [WorkspaceState, 'running' | 'paused' | 'stopped' | 'gone', WorkspaceState][] = [
    ['running', 'gone', 'stopped'],
    ['running', 'stopped', 'stopped'],
    ['running', 'paused', 'paused'],
    ['paused', 'running', 'running'],
    ['paused', 'gone', 'stopped'],
    ['stopped', 'gone', 'stopped'],
    ['starting', 'gone', 'stopped'],
    ['starting', 'stopped', 'stopped'],
    ['stopping', 'running', 'running'],
    ['stopping', 'stopped', 'stopped'],
    ['pausing', 'running', 'running'],
    ['archiving', 'gone', 'archived'],
    ['archiving', 'stopped', 'archived'],
    ['archiving', 'running', 'running'],
    ['archived', 'stopped', 'archived'],
    ['archived', 'running', 'running'],
    ['restoring', 'stopped', 'archived'],
    ['archived', 'gone', 'archived'],
    ['restoring', 'gone', 'archived'],
    ['recovering', 'gone', 'error'],
    ['error', 'gone', 'error'],
    ['error', 'stopped', 'error'],
    ['error', 'paused', 'error'],
    ['error', 'running', 'error'],
  ];
  for (const [recorded, real, expected] of seen) {
    it(`takes a ${recorded} one whose runtime is ${real} for ${expected}`, async () => {
      await killed({ state: recorded }, () => {
        if (real === 'gone') {
          test.driver.runtimes.clear();
        } else {
          test.driver.runtimes.get(name)!.state = real;
        }
      });
      assert.equal(workspace().state, expected);
      assert.equal(workspace().runtimeId === undefined, real === 'gone');
      assert.deepEqual(test.driver.volumes.names, [name], 'nothing is lost');
      if (expected === 'stopped') {
        assert.equal(workspace().startedAt, undefined);
      }
    });
  }

  it('says what the driver warns of, for as long as it does', async () => {
    const warning = { code: 'open-loopback', message: 'It is open.', hint: 'Stop it.' };
    await killed({}, () => (test.driver.runtimes.get(name)!.warning = warning));
    assert.deepEqual([workspace().state, workspace().warnings], ['running', [warning]]);
    await killed();
    assert.deepEqual(workspace().warnings, [warning]);
    const other = { code: 'share-lost', message: 'It is gone.', hint: 'Restart it.' };
    await killed({}, () => (test.driver.runtimes.get(name)!.warning = other));
    assert.deepEqual(workspace().warnings, [other]);
    await killed({}, () => delete test.driver.runtimes.get(name)!.warning);
    assert.deepEqual([workspace().state, workspace().warnings], ['running', []]);
  });

  it('shows what stands still as an error that a resume or recover mends, and takes it for no pause', async () => {
    const runtime = () => test.driver.runtimes.get(name)!;
    const halt = { code: 'no_space', message: 'No room for /d.', hint: 'Make room.' };
    for (const verb of ['resume', 'recover', 'start'] as const) {
      await killed({}, () => Object.assign(runtime(), { state: 'paused', halt }));
      assert.deepEqual([workspace().state, workspace().problem?.message], ['error', 'No room for /d.']);
      assert.throws(() => test.services.verbs.pause('demo'), { code: 'no_space' });
      await assert.rejects(test.services.access.attach('demo', { argv: ['true'] }), { code: 'no_space' });
      delete runtime().halt;
      test.driver.calls.length = 0;
      assert.equal((await test.done(test.services.verbs[verb]('demo'))).status, 'succeeded');
      assert.deepEqual([workspace().state, workspace().problem], ['running', undefined]);
      assert.deepEqual(
        test.driver.calls.filter((call) => /^(stop|remove|create|start) /.test(call)),
        [],
      );
    }
    await killed({}, () => Object.assign(runtime(), { state: 'paused', halt }));
    delete runtime().halt;
    runtime().state = 'running';
    test.driver.calls.length = 0;
    test.driver.emit({ type: 'runtime', name, workspace: 'demo', what: 'resumed' });
    await until('it goes on by itself', () => workspace().state === 'running');
    await quiet();
    assert.equal(test.driver.calls.includes(`configure ${name}`), false);
  });

  it('says what is to be known of a state, for as long as that is so', async () => {
    const runtime = () => test.driver.runtimes.get(name)!;
    await killed({ state: 'paused' }, () => Object.assign(runtime(), { state: 'paused', detail: 'Saving.' }));
    assert.deepEqual([workspace().state, workspace().stateDetail], ['paused', 'Saving.']);
    delete runtime().detail;
    test.driver.emit({ type: 'runtime', name, workspace: 'demo', what: 'paused' });
    await until('that is over', () => workspace().stateDetail === undefined);
    assert.equal(workspace().state, 'paused');
  });

  it('says that a create was cut off; it can be recovered', async () => {
    await killed({ state: 'creating' }, () => test.driver.runtimes.clear());
    assert.equal(workspace().state, 'error');
    assert.equal(workspace().problem?.code, 'interrupted');
    await test.done(test.services.verbs.recover('demo'));
    assert.equal(workspace().state, 'running');
  });

  it('goes on saying so, also when the runtime it had made runs and is looked at again', async () => {
    await killed({ state: 'creating', startedAt: undefined });
    test.driver.emit({ type: 'connection', up: true });
    await turns();
    assert.equal(workspace().state, 'error');
    assert.equal(workspace().problem?.code, 'interrupted');
    test.driver.behindOurBack(name, 'running');
    await until('somebody started it anew', () => workspace().state === 'running');
  });

  it('does not take a create that has just begun for one that was cut off', async () => {
    const gate = test.driver.hold('resolve');
    const operation = await test.services.creator.create({ name: 'new' });
    test.driver.emit({ type: 'connection', up: true });
    await gate.entered;
    gate.open();
    assert.equal((await test.done(operation)).status, 'succeeded');
    assert.equal(test.services.workspaces.get('new').state, 'running');
  });

  it('finishes a delete that was cut off', async () => {
    await killed({ state: 'deleting', removes: true });
    assert.deepEqual(test.services.workspaces.list(), []);
    assert.deepEqual(test.driver.volumes.names, []);
    assert.equal(test.driver.runtimes.size, 0);
  });

  it('takes a delete back that was cut off before it had removed anything', async () => {
    await killed({ state: 'deleting' });
    await until('it to be looked at', () =>
      Promise.resolve(test.services.workspaces.get('demo').state === 'running'),
    );
    assert.deepEqual(test.driver.volumes.names, ['workspace-demo']);
    assert.equal(test.driver.runtimes.size, 1);
  });

  it('lets the driver tidy up a volume whose removal was cut off', async () => {
    await killed({ state: 'deleting', removes: true }, () => test.driver.volumes.known.clear());
    assert(did('volumes.remove'));
    assert.deepEqual(test.services.workspaces.list(), []);
  });

  it('keeps the volumes when the delete that was cut off was to keep them', async () => {
    const gate = test.driver.hold('remove');
    test.services.verbs.delete('demo', { keepVolumes: true });
    await gate.entered;
    const record = JSON.parse(await readFile(test.state.workspaceRecord('demo'), 'utf8')) as object;
    gate.open();
    await quiet();
    await test.create('demo');
    await killed(record as Record<string, unknown>);
    assert.deepEqual(test.services.workspaces.list(), []);
    assert.deepEqual(test.driver.volumes.names, [name]);
  });

  it('puts keys into what a killed engine had started but not set up', async () => {
    for (const state of ['stopped', 'starting', 'restoring']) {
      await killed({ state });
      assert.equal(workspace().state, 'running', state);
      assert(test.driver.configured.has(name), state);
    }
  });

  it('goes on with the scripts of a start that a killed engine had not finished', async () => {
    const script = join(home(), 'setup.sh');
    await writeFile(script, '#!/bin/sh\n');
    await test.done(test.services.verbs.stop('demo'));
    await test.services.workspaces.update('demo', { postStart: { scripts: [script] } });
    await test.done(test.services.verbs.start('demo'));
    test.driver.execs.length = 0;
    await killed({ state: 'starting' });
    assert.equal(workspace().state, 'running');
    assert(did('configure'));
    assert.deepEqual(
      test.driver.execs.map(({ argv }) => argv[0]),
      ['git', '/tmp/.berth/post-start/00-setup.sh'],
    );
  });

  it('puts keys into what was restarted while no engine looked', async () => {
    await killed({}, () => {
      test.driver.runtimes.get(name)!.startedAt = '2030-01-01T00:00:00.000Z';
    });
    assert(test.driver.configured.has(name));
    assert.equal(workspace().startedAt, '2030-01-01T00:00:00.000Z');
    await killed();
    assert(!test.driver.configured.has(name), 'once');
  });

  it('says so when that fails, and does not try forever', async () => {
    test.driver.fail('configure', new Error('no sshd'));
    await killed({ state: 'stopped' });
    assert.equal(workspace().state, 'running');
    assert.equal(workspace().problem?.message, 'no sshd');
    test.driver.emit({ type: 'connection', up: true });
    await quiet();
    assert.equal(test.driver.calls.filter((call) => call.startsWith('configure')).length, 1);
  });

  it('starts Docker inside as well', async () => {
    await test.create('big', { docker: true });
    test.driver.behindOurBack('workspace-big', 'stopped');
    await until('it is stopped', () => test.services.workspaces.get('big').state === 'stopped');
    test.driver.calls.length = 0;
    test.driver.behindOurBack('workspace-big', 'running');
    await until('it is set up', () => test.driver.calls.includes('startDocker workspace-big'));
    await quiet();
  });

  describe('while it runs', () => {
    it('follows what other tools do', async () => {
      for (const [real, state] of [
        ['paused', 'paused'],
        ['stopped', 'stopped'],
      ] as const) {
        test.driver.behindOurBack(name, real);
        await until(`it is ${state}`, () => workspace().state === state);
      }
      test.driver.behindOurBack(name, 'removed');
      await until('its runtime is gone', () => workspace().runtimeId === undefined);
      assert.equal(workspace().state, 'stopped');
      assert.equal((await test.done(test.services.verbs.start('demo'))).status, 'succeeded');
    });

    it('sets up what another tool started', async () => {
      await test.done(test.services.verbs.stop('demo'));
      test.driver.behindOurBack(name, 'running');
      await until('it has keys', () => test.driver.configured.has(name));
      await quiet();
      assert.equal(workspace().state, 'running');
      const configure = test.services.operations.list()[0];
      assert.match(configure?.title ?? '', /started elsewhere/);
    });

    it('sets up what another tool restarted between two looks', async () => {
      test.driver.configured.clear();
      const info = test.driver.runtimes.get(name)!;
      info.startedAt = '2030-01-01T00:00:00.000Z';
      test.driver.emit({ type: 'runtime', name, workspace: 'demo', what: 'started' });
      await until('it has keys', () => test.driver.configured.has(name));
      await quiet();
    });

    it('does not meddle with an operation of ours', async () => {
      const gate = test.driver.hold('stop');
      const operation = test.services.verbs.stop('demo');
      await gate.entered;
      test.driver.behindOurBack(name, 'stopped');
      gate.open();
      await test.done(operation);
      assert.equal(workspace().state, 'stopped');
      assert(!test.payloads('workspace.changed').some(({ state }) => state === 'error'));
    });

    it('is not running before it is set up', async () => {
      await test.done(test.services.verbs.stop('demo'));
      const gate = test.driver.hold('configure');
      test.driver.behindOurBack(name, 'running');
      await gate.entered;
      await until('it is seen to start', () => workspace().state === 'starting');
      gate.open();
      await quiet();
      assert.equal(workspace().state, 'running');
    });

    it('sees what happened while an operation was under way when that has ended', async () => {
      await test.done(test.services.verbs.stop('demo'));
      const gate = test.driver.hold('configure');
      test.driver.behindOurBack(name, 'running');
      await gate.entered;
      test.driver.behindOurBack(name, 'stopped');
      gate.open();
      await quiet();
      await until('its end is known', () => workspace().state === 'stopped');
    });

    it('sees that a runtime ended just when an operation of ours was done with it', async () => {
      const gate = test.driver.hold('pause');
      const operation = test.services.verbs.pause('demo');
      await gate.entered;
      test.driver.behindOurBack(name, 'removed');
      gate.open();
      await test.done(operation);
      await until('its end is known', () => workspace().state === 'stopped');
      assert.equal(workspace().runtimeId, undefined);
    });

    it('believes no answer that was overtaken', async () => {
      const gate = test.driver.hold('inspect');
      test.driver.emit({ type: 'runtime', name, workspace: 'demo', what: 'started' });
      await gate.entered;
      await test.done(test.services.verbs.stop('demo'));
      gate.open();
      await quiet();
      await until('it settled', () => workspace().state === 'stopped');
      assert.equal(workspace().state, 'stopped');
    });

    it('ignores the runtimes and volumes of others', async () => {
      const before = test.events.length;
      test.driver.emit({ type: 'runtime', name: 'mysql', workspace: undefined, what: 'stopped' });
      test.driver.emit({ type: 'runtime', name: 'other-demo', workspace: 'demo', what: 'stopped' });
      test.driver.emit({ type: 'runtime', name: 'workspace-no', workspace: 'no', what: 'stopped' });
      await quiet();
      assert.equal(test.events.length, before);
    });
  });

  describe('when the daemon is silent', () => {
    it('keeps the state as last seen, says so, and looks again when it is back', async () => {
      await killed({}, () => (test.driver.down = true));
      assert.equal(workspace().state, 'running');
      assert.match(workspace().stateDetail ?? '', /does not answer/);
      test.driver.runtimes.clear();
      test.driver.down = false;
      test.driver.emit({ type: 'connection', up: true });
      await until('it is known', () => workspace().state === 'stopped');
      assert.equal(workspace().stateDetail, undefined);
    });

    it('still finishes later what was cut off', async () => {
      await killed({ state: 'creating' }, () => (test.driver.down = true));
      assert.equal(workspace().state, 'creating');
      test.driver.down = false;
      test.driver.emit({ type: 'connection', up: true });
      await until('it is told', () => workspace().state === 'error');
    });

    it('does not keep the engine from starting when it hangs', async () => {
      await test.engine.close();
      const gate = test.driver.hold('list');
      test = await start({ reconcileTimeoutMs: 20 }, test.driver);
      assert.equal(workspace().state, 'running');
      gate.open();
    });

    it('takes in what it can when an event can not be followed up', async () => {
      test.driver.fail('inspect', new Error('no'));
      test.driver.emit({ type: 'runtime', name, workspace: 'demo', what: 'stopped' });
      await quiet();
      test.driver.behindOurBack(name, 'stopped');
      await until('it is stopped', () => workspace().state === 'stopped');
    });
  });

  it('lets go of its drivers when the engine closes', async () => {
    assert(test.driver.listenerCount > 0);
    await test.engine.close();
    assert.equal(test.driver.listenerCount, 0);
    assert.equal(test.driver.closed, true);
  });
});
