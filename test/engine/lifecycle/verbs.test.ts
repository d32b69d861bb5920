/** Every verb in every settled state: what it leads to, what is nothing to do, what is refused. */
import assert from 'node:assert/strict';
import { failure } from '../../support/errors';
import { itLeavesNothing, useEngineHarness, type SimpleVerb } from '../../support/engine/engine-harness';
import { FileServer } from '../../support/programs/git-server';
import { testTimeoutMs } from '../../support/runtimes/columns';

type State = 'running' | 'paused' | 'stopped' | 'archived' | 'error';

const verbs = ['start', 'stop', 'restart', 'pause', 'resume', 'archive', 'restore', 'recover'] as const;

/** The state a verb leads to; the same state = nothing to do; absent = refused. */
const table: Record<State, Partial<Record<SimpleVerb, State>>> = {
  running: {
    start: 'running',
    stop: 'stopped',
    restart: 'running',
    pause: 'paused',
    resume: 'running',
    archive: 'archived',
    restore: 'running',
    recover: 'running',
  },
  paused: {
    start: 'running',
    stop: 'stopped',
    restart: 'running',
    pause: 'paused',
    resume: 'running',
    archive: 'archived',
  },
  stopped: { start: 'running', stop: 'stopped', restart: 'running', archive: 'archived' },
  archived: { archive: 'archived', restore: 'running' },
  error: { recover: 'running' },
};

/** Verbs that lead from running to a state. */
const wayTo: Record<Exclude<State, 'error'>, SimpleVerb[]> = {
  running: [],
  paused: ['pause'],
  stopped: ['stop'],
  archived: ['archive'],
};

/** Verbs that lead back to running. */
const wayBack: Record<State, SimpleVerb[]> = {
  running: [],
  paused: ['resume'],
  stopped: ['start'],
  archived: ['restore'],
  error: ['recover'],
};

describe('lifecycle: every verb in every state', function () {
  this.timeout(testTimeoutMs);
  const harness = useEngineHarness();
  let name: string;

  before(async () => {
    ({ name } = await harness().create());
  });

  async function assertRefused(state: State): Promise<void> {
    for (const verb of verbs.filter((each) => table[state][each] === undefined)) {
      const error = await failure(harness().begin(verb, name), 'illegal_state');
      assert.match(error.message, new RegExp(`${name} is ${state}.*${verb}`));
      assert(error.hint, `${verb} of a ${state} one has no hint`);
      assert.equal(error.status, 409);
    }
    assert.equal(await harness().state(name), state);
  }

  async function assertNothingToDo(state: State): Promise<void> {
    const { startedAt } = await harness().workspace(name);
    for (const verb of verbs.filter((each) => table[state][each] === state && each !== 'restart')) {
      const { result, steps } = await harness().verb(verb, name);
      assert.deepEqual(result, { changed: false });
      assert.deepEqual(steps, []);
    }
    assert.equal((await harness().workspace(name)).startedAt, startedAt);
  }

  async function lead(way: readonly SimpleVerb[]): Promise<void> {
    for (const verb of way) {
      await harness().verb(verb, name);
    }
  }

  for (const state of ['running', 'paused', 'stopped', 'archived'] as const) {
    it(`${state}: refuses what is illegal with 409, changes nothing where nothing is to do`, async () => {
      await lead(wayTo[state]);
      await assertRefused(state);
      await assertNothingToDo(state);
      await lead(wayBack[state]);
    });

    const changes = verbs.filter((verb) => {
      const to = table[state][verb];
      return to !== undefined && (to !== state || verb === 'restart');
    });
    for (const verb of changes) {
      it(`${state}: ${verb} leads to ${table[state][verb]}`, async () => {
        await lead(wayTo[state]);
        const to = table[state][verb] ?? 'running';
        await harness().verb(verb, name);
        assert.equal(await harness().state(name), to);
        await lead(wayBack[to]);
        assert.equal(await harness().ssh(name, ['echo', 'here']), 'here');
      });
    }
  }

  it('error: is what an interrupted create leaves; only recover and delete are legal', async () => {
    const whole = name;
    name = harness().name();
    const files = await FileServer.start(harness().folder, harness().docker);
    try {
      const gate = files.hold();
      await harness().beginCreate(name, { cloneUrl: files.url('none.git') });
      await gate.entered;
      await harness().killAndRestart();
      const { problem } = await harness().untilState(name, 'error');
      assert.equal(problem?.code, 'interrupted');
      assert.match(problem.hint ?? '', /Recover/);
      await assertRefused('error');
      gate.open();
      await harness().verb('recover', name);
      assert.equal(await harness().ssh(name, ['echo', 'here']), 'here');
      assert.equal((await harness().workspace(name)).problem, undefined);
      await harness().delete(name);
    } finally {
      await files.close();
      name = whole;
    }
    assert.equal(await harness().state(name), 'running', 'the other one was left alone');
  });

  it('refuses a second verb while one is under way', async () => {
    const stop = await harness().begin('stop', name);
    for (const verb of ['start', 'pause', 'archive'] as const) {
      const error = await failure(harness().begin(verb, name), 'illegal_state');
      assert.match(error.message, /is stopping/);
    }
    await harness().done(stop);
    await harness().verb('start', name);
  });

  itLeavesNothing(harness);
});
