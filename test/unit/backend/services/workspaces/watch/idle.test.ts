import assert from 'node:assert/strict';
import type { IdlePolicy } from '../../../../../../src/api/workspaces/schemas';
import { systemClock } from '../../../../../../src/backend/machine/clock';
import { nextIdleStep } from '../../../../../../src/backend/services/workspaces/watch/idle';
import type { WorkspaceRecord } from '../../../../../../src/backend/services/workspaces/record';
import { useEngine, type TestEngine } from '../../../../../support/engine/engine';
import { FakeClock } from '../../../../../support/fakes/fake-clock';
import { turns, until } from '../../../../../support/wait';

const minute = 60_000;

describe('services/workspaces/watch/idle', () => {
  const { start } = useEngine();
  let test: TestEngine;
  let clock: FakeClock;

  async function prepare(idle: IdlePolicy): Promise<void> {
    clock = new FakeClock();
    test = await start({ clock });
    const { error } = await test.create('demo', { idle });
    assert.equal(error, undefined);
    await turns();
  }
  const workspace = () => test.services.workspaces.get('demo');

  async function pass(minutes: number): Promise<void> {
    await clock.pass(minutes * minute);
    await until('operations have ended', () => test.services.operations.runningCount === 0);
    await turns();
  }
  const attach = (count: number) => test.driver.attachedCounts.set('workspace-demo', count);
  const kinds = () =>
    test.services.operations
      .list()
      .map(({ kind }) => kind)
      .filter((kind) => kind !== 'workspace.create');

  it('pauses, stops, archives, each in its time and no sooner', async () => {
    await prepare({ pauseAfter: 10, stopAfter: 20, archiveAfter: 60 });
    await pass(9.9);
    assert.equal(workspace().state, 'running');
    await pass(0.2);
    assert.equal(workspace().state, 'paused');
    await pass(9.7);
    assert.equal(workspace().state, 'paused');
    await pass(0.3);
    assert.equal(workspace().state, 'stopped');
    await pass(39.7);
    assert.equal(workspace().state, 'stopped');
    await pass(0.4);
    assert.equal(workspace().state, 'archived');
    await pass(1_000);
    assert.deepEqual(kinds(), ['workspace.archive', 'workspace.stop', 'workspace.pause']);
    assert.deepEqual(test.driver.volumes.names, ['workspace-demo']);
    assert.equal(clock.pending, 0, 'nothing left to wait for');
  });

  it('takes only the steps that are asked for', async () => {
    await prepare({ stopAfter: 5 });
    await pass(5.1);
    assert.equal(workspace().state, 'stopped');
    assert.deepEqual(kinds(), ['workspace.stop']);
  });

  it('sets no timer and asks nobody without a policy', async () => {
    await prepare({ pauseAfter: 0 });
    await test.create('other', {});
    assert.equal(clock.pending, 0);
    test.driver.calls.length = 0;
    await pass(10_000);
    assert.equal(clock.wakes, 0);
    assert.deepEqual(test.driver.calls, []);
  });

  it('never while something is attached; the time counts from when it went', async () => {
    await prepare({ pauseAfter: 10 });
    attach(1);
    await pass(100);
    assert.equal(workspace().state, 'running');
    assert.equal(workspace().attached, 1);
    attach(0);
    await pass(9);
    assert.equal(workspace().state, 'running');
    await pass(2.1);
    assert.equal(workspace().state, 'paused');
  });

  it('notices a client that came and went between two steps, by looking ten times', async () => {
    await prepare({ pauseAfter: 10 });
    await pass(4);
    attach(1);
    await pass(1.1);
    attach(0);
    await pass(8);
    assert.equal(workspace().state, 'running', 'in use until minute five');
    await pass(2.1);
    assert.equal(workspace().state, 'paused');
    assert(clock.wakes < 30, `${clock.wakes} looks`);
  });

  it('counts what the engine itself holds open: terminals and commands', async () => {
    await prepare({ pauseAfter: 10 });
    test.driver.commands.set('sleep', { endless: true });
    const session = await test.services.access.attach('demo', { argv: ['sleep'] });
    await pass(60);
    assert.equal(workspace().state, 'running');
    await session.kill();
    await turns();
    const abort = new AbortController();
    const command = test.services.access.exec('demo', { argv: ['sleep'] }, abort.signal);
    await turns();
    await pass(60);
    assert.equal(workspace().state, 'running');
    abort.abort();
    await assert.rejects(command, /Cancelled/);
  });

  it('does not stop a paused one in which a terminal is open', async () => {
    await prepare({ stopAfter: 10 });
    test.driver.commands.set('sleep', { endless: true });
    const session = await test.services.access.attach('demo', { argv: ['sleep'] });
    await test.done(test.services.verbs.pause('demo'));
    await pass(60);
    assert.equal(workspace().state, 'paused');
    await session.kill();
    await pass(25);
    assert.equal(workspace().state, 'stopped');
  });

  it('tries a step that fails again in its rhythm, not in a loop', async () => {
    await prepare({ pauseAfter: 10 });
    test.driver.fail('pause', ...Array.from({ length: 1_000 }, () => new Error('no freezer')));
    await pass(10);
    // Minute by minute, as what a try takes is real.
    for (let at = 0; at < 10; at += 1) {
      await pass(1);
    }
    assert.equal(workspace().state, 'running');
    assert.equal(workspace().problem?.message, 'no freezer');
    const tries = test.driver.calls.filter((call) => call.startsWith('pause')).length;
    assert(tries >= 5 && tries <= 12, `${tries} tries in ten minutes`);
    assert(clock.wakes < 60, `${clock.wakes} wakes`);
  });

  it('asks a daemon that is gone in its rhythm too, and goes on when it is back', async () => {
    await prepare({ pauseAfter: 10 });
    test.driver.down = true;
    await pass(60);
    assert(clock.wakes < 150, `${clock.wakes} wakes`);
    assert.equal(workspace().state, 'running');
    test.driver.down = false;
    await pass(2);
    assert.equal(workspace().state, 'paused');
  });

  it('follows a policy that is set later, or changed, or taken away', async () => {
    await prepare({});
    await test.services.workspaces.update('demo', { idle: { pauseAfter: 100 } });
    await pass(50);
    await test.services.workspaces.update('demo', { idle: { pauseAfter: 55 } });
    await pass(54);
    assert.equal(workspace().state, 'running');
    await pass(2);
    assert.equal(workspace().state, 'paused');
    await test.services.workspaces.update('demo', { idle: { stopAfter: 100 } });
    await test.services.workspaces.update('demo', { idle: {} });
    await pass(1_000);
    assert.equal(workspace().state, 'paused');
    assert.equal(clock.pending, 0);
  });

  it('leaves alone what is used while it looks', async () => {
    await prepare({ pauseAfter: 10 });
    await pass(9.5);
    const gate = test.driver.hold('attached');
    const passing = clock.pass(minute);
    await gate.entered;
    await test.services.workspaces.update('demo', { label: 'x' });
    test.services.verbs.stop('demo');
    gate.open();
    await passing;
    await pass(0);
    assert.deepEqual(kinds(), ['workspace.stop']);
  });

  it('watches many, each in its own time', async () => {
    await prepare({ pauseAfter: 10 });
    await test.create('other', { idle: { stopAfter: 3 } });
    await test.create('third');
    await pass(3.2);
    assert.equal(test.services.workspaces.get('other').state, 'stopped');
    assert.equal(workspace().state, 'running');
    await pass(7.2);
    assert.equal(workspace().state, 'paused');
    assert.equal(test.services.workspaces.get('third').state, 'running');
  });

  it('counts nothing of what the machine slept through, or of a clock that was set', async () => {
    await prepare({ pauseAfter: 10, archiveAfter: 60 });
    for (const jump of [8 * 60 * minute, -20 * minute]) {
      await pass(5);
      clock.set(jump);
      await pass(9.8);
      assert.equal(workspace().state, 'running', `${jump}`);
      await test.services.access.touch('demo');
      attach(1);
      await pass(1.1);
      attach(0);
    }
    await pass(11.2);
    assert.equal(workspace().state, 'paused');
    clock.set(30 * 24 * 60 * minute);
    await pass(40);
    assert.equal(workspace().state, 'paused');
    await pass(20);
    assert.equal(workspace().state, 'archived', 'what was seen before the gap counts');
  });

  for (const state of ['stopped', 'paused'] as const) {
    it(`comes to a long policy of a ${state} one on a machine that sleeps at night`, async () => {
      await prepare(state === 'stopped' ? { archiveAfter: 3 * 24 * 60 } : { archiveAfter: 40 * 60 });
      await test.done(test.services.verbs[state === 'stopped' ? 'stop' : 'pause']('demo'));
      for (let day = 0; day < 2; day += 1) {
        await pass(14 * 60);
        clock.set(10 * 60 * minute);
        await pass(1);
      }
      assert.equal(workspace().state, state);
      await pass(14 * 60);
      assert.equal(workspace().state, state === 'stopped' ? 'stopped' : 'archived');
      clock.set(11 * 60 * minute);
      // It is looked for what is due once an hour at least.
      await pass(61);
      assert.equal(workspace().state, 'archived');
    });
  }

  it('counts nothing of the time in which no engine looked, while it ran', async () => {
    await prepare({ stopAfter: 10 });
    await test.engine.close();
    const { driver } = test;
    clock = new FakeClock();
    await clock.pass(600 * minute);
    test = await start({ clock }, driver);
    await pass(9);
    assert.equal(workspace().state, 'running');
    await pass(1.2);
    assert.equal(workspace().state, 'stopped');
  });

  it('begins anew with a policy that is set on one in use for long', async () => {
    await prepare({});
    await clock.pass(600 * minute);
    await test.services.workspaces.update('demo', { idle: { stopAfter: 10 } });
    await pass(9);
    assert.equal(workspace().state, 'running');
    await test.services.workspaces.update('demo', { idle: { stopAfter: 5 } });
    await pass(4.5);
    assert.equal(workspace().state, 'running');
    await pass(0.7);
    assert.equal(workspace().state, 'stopped');
  });

  it('takes a start of what runs, and a start elsewhere, for a use', async () => {
    await prepare({});
    const used = async (): Promise<number> => {
      await turns();
      return Date.parse(workspace().lastUsedAt);
    };
    const first = await used();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await test.done(test.services.verbs.start('demo'));
    const second = await used();
    assert(second > first);
    test.driver.behindOurBack('workspace-demo', 'stopped');
    await until('it is seen', () => workspace().state === 'stopped');
    assert.equal(await used(), second, 'an end is no use');
    await new Promise((resolve) => setTimeout(resolve, 5));
    test.driver.behindOurBack('workspace-demo', 'running');
    await until('it is set up', () => workspace().state === 'running');
    assert((await used()) > second);
  });

  it('ends with its engine', async () => {
    await prepare({ pauseAfter: 10 });
    await test.engine.close();
    assert.equal(clock.pending, 0);
  });

  it('keeps the engine alive only as long as a step is to come', async () => {
    await prepare({ stopAfter: 5 });
    assert.equal(test.services.lifetime.reasonToStay, 'an idle policy is watched');
    await pass(6);
    assert.equal(test.services.lifetime.reasonToStay, undefined);
  });

  it('knows the next step of a record', () => {
    const lastUsedAt = '2026-01-01T00:00:00.000Z';
    const next = (state: WorkspaceRecord['state'], idle?: IdlePolicy) => {
      const spec = { runtime: 'container', image: 'x', ...(idle !== undefined && { idle }) };
      const step = nextIdleStep({ state, spec, lastUsedAt } as WorkspaceRecord);
      return step === undefined ? undefined : `${step.verb} ${(step.at - Date.parse(lastUsedAt)) / minute}`;
    };
    const all = { pauseAfter: 1, stopAfter: 2, archiveAfter: 3 };
    assert.equal(next('running', all), 'pause 1');
    assert.equal(next('paused', all), 'stop 2');
    assert.equal(next('stopped', all), 'archive 3');
    assert.equal(next('archived', all), undefined);
    assert.equal(next('error', all), undefined);
    assert.equal(next('starting', all), undefined);
    assert.equal(next('running', { stopAfter: 2, pauseAfter: 5 }), 'stop 2');
    assert.equal(next('running'), undefined);
  });

  it('uses a clock that can be cancelled', async () => {
    let rang = 0;
    const ring = (): void => void (rang += 1);
    systemClock.after(1, ring)();
    systemClock.after(1, ring);
    await until('it rings', () => rang > 0);
    assert.equal(rang, 1);
    assert(Math.abs(systemClock.now() - Date.now()) < 1_000);
  });
});
