import assert from 'node:assert/strict';
import { workspaceStates, type WorkspaceState } from '../../../../src/api/workspaces/schemas';
import {
  isInTransition,
  isSettled,
  isStartKind,
  mayBegin,
  offeredIn,
  stateNamed,
  transitionOf,
  transitions,
  uses,
  verbs,
  wakingVerb,
  wayOutOf,
  worksIn,
  type Verb,
} from '../../../../src/api/rules/lifecycle';
import { failure } from '../../../support/errors';

/** What each verb does from each settled state. '=' changes nothing; all else is illegal. */
const table: Record<Verb, Partial<Record<WorkspaceState, 'go' | '='>>> = {
  start: { stopped: 'go', paused: 'go', running: '=' },
  stop: { running: 'go', paused: 'go', stopped: '=' },
  restart: { running: 'go', paused: 'go', stopped: 'go' },
  pause: { running: 'go', paused: '=' },
  resume: { paused: 'go', running: '=' },
  archive: { running: 'go', paused: 'go', stopped: 'go', archived: '=' },
  restore: { archived: 'go', running: '=' },
  recover: { error: 'go', running: '=' },
  rebuild: { running: 'go', paused: 'go', stopped: 'go', error: 'go' },
  delete: { running: 'go', paused: 'go', stopped: 'go', archived: 'go', error: 'go', deleting: 'go' },
};
const ends: Record<Verb, [WorkspaceState, WorkspaceState]> = {
  start: ['starting', 'running'],
  stop: ['stopping', 'stopped'],
  restart: ['starting', 'running'],
  pause: ['pausing', 'paused'],
  resume: ['resuming', 'running'],
  archive: ['archiving', 'archived'],
  restore: ['restoring', 'running'],
  recover: ['recovering', 'running'],
  rebuild: ['starting', 'running'],
  delete: ['deleting', 'deleting'],
};
const settled: WorkspaceState[] = ['running', 'paused', 'stopped', 'archived', 'error'];

describe('api/rules/lifecycle', () => {
  it('knows exactly the verbs of the table', () => {
    assert.deepEqual(Object.keys(transitions).sort(), Object.keys(table).sort());
  });

  for (const verb of Object.keys(table) as Verb[]) {
    it(`${verb}: every state is legal, already there, or refused in words`, async () => {
      for (const state of workspaceStates) {
        const expected = table[verb][state];
        if (expected !== undefined) {
          assert.equal(mayBegin(verb, state, 'demo'), expected === 'go', `${verb} ${state}`);
          continue;
        }
        const error = await failure(() => mayBegin(verb, state, 'demo'), 'illegal_state');
        assert.equal(error.message, `Workspace demo is ${state}: it can't ${verb} now.`);
        assert.equal(error.status, 409);
        assert(error.hint !== undefined && error.hint !== '', `${verb} ${state} has no remedy`);
      }
      assert.deepEqual([transitions[verb].via, transitions[verb].to], ends[verb]);
    });
  }

  it('passes through states that end by themselves, to states that last', () => {
    for (const [verb, { via, to }] of Object.entries(transitions)) {
      assert.equal(isSettled(via), false, verb);
      assert.equal(isSettled(to), verb !== 'delete', verb);
    }
    assert.deepEqual(workspaceStates.filter(isSettled).sort(), [...settled].sort());
  });

  it('is offered only where it works, and what is left out is done there by another verb to the same end', () => {
    for (const verb of verbs) {
      const { from, to } = transitionOf(verb);
      for (const state of from) {
        const others = verbs.filter(
          (other) => other !== verb && transitions[other].to === to && offeredIn(other).includes(state),
        );
        assert.ok(offeredIn(verb).includes(state) || others.length > 0, `${verb} ${state}`);
      }
      assert.deepEqual(
        offeredIn(verb).filter((state) => !from.includes(state)),
        [],
        verb,
      );
    }
  });

  it('knows what operations start a runtime, by their kinds', () => {
    const kinds = ['create', 'start', 'restart', 'restore', 'recover', 'rebuild', 'adopt'];
    const all = [...new Set([...kinds, ...verbs, 'commit', 'configure'])];
    assert.deepEqual(
      all.filter((kind) => isStartKind(`workspace.${kind}`)),
      kinds,
    );
    assert.equal(isStartKind('volume.create'), false);
  });

  it('leads out of what does not run by verbs that make it run, but for an error', () => {
    const waking = settled.map((state) => [state, wakingVerb(state)]);
    assert.deepEqual(waking, [
      ['running', undefined],
      ['paused', 'resume'],
      ['stopped', 'start'],
      ['archived', 'restore'],
      ['error', undefined],
    ]);
    assert.equal(wayOutOf('error'), 'recover');
    for (const state of workspaceStates) {
      const verb = wayOutOf(state);
      assert.equal(verb !== undefined, isSettled(state), state);
      assert.ok(verb === undefined || worksIn(verb, state), state);
    }
  });

  it('offers the uses of workspaces where they work', () => {
    assert.deepEqual(uses.open.filter(isSettled), ['running', 'paused', 'stopped', 'archived']);
    assert.deepEqual(uses.open.filter(isInTransition), [
      'creating',
      'starting',
      'resuming',
      'restoring',
      'recovering',
    ]);
    assert.deepEqual(uses.stats, ['running', 'paused']);
    assert.deepEqual(uses.commit, ['running', 'paused', 'stopped', 'archived']);
    assert.ok(uses.logs.includes('error') && uses.logs.includes('archived'));
    assert.equal(stateNamed('running'), 'running');
    assert.equal(stateNamed('toString'), undefined);
  });

  it('says the remedy for each state that lasts', async () => {
    const hint = async (verb: Verb, state: WorkspaceState) =>
      (await failure(() => mayBegin(verb, state, 'demo'))).hint;
    assert.equal(await hint('stop', 'archived'), 'Restore it first: `berth restore demo`.');
    assert.equal(await hint('start', 'error'), 'Recover it first: `berth recover demo`. Or delete it.');
    assert.equal(await hint('pause', 'stopped'), 'Start it first: `berth start demo`.');
    assert.equal(await hint('restore', 'paused'), 'Resume it first: `berth resume demo`.');
    assert.equal(await hint('start', 'stopping'), 'Wait until that is done.');
  });
});
