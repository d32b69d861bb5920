import assert from 'node:assert/strict';
import {
  groupBy,
  sortVolumes,
  sortWorkspaces,
  workspaceGroup,
} from '../../../../src/providers/trees/arrange';
import { goalOf, isInTransition } from '../../../../src/api/rules/lifecycle';
import { volume, workspace } from '../fixtures';

const namesOf = (list: readonly { name: string }[]): string[] => list.map(({ name }) => name);

describe('sorting and grouping', () => {
  it('sorts names as people count', () => {
    const list = [workspace('w10'), workspace('w9'), workspace('a')];
    assert.deepEqual(namesOf(sortWorkspaces(list, 'name')), ['a', 'w9', 'w10']);
  });

  it('sorts by state: what needs attention first, the deleted last', () => {
    const list = [
      workspace('stopped'),
      workspace('deleting', { state: 'deleting' }),
      workspace('running', { state: 'running' }),
      workspace('error', { state: 'error' }),
      workspace('starting', { state: 'starting' }),
    ];
    assert.deepEqual(namesOf(sortWorkspaces(list, 'state')), [
      'error',
      'starting',
      'running',
      'stopped',
      'deleting',
    ]);
  });

  it('sorts by last use, newest first, and by name between equals', () => {
    const list = [
      workspace('old', { lastUsedAt: '2025-01-01T00:00:00Z' }),
      workspace('b', { lastUsedAt: '2026-01-01T00:00:00Z' }),
      workspace('a', { lastUsedAt: '2026-01-01T00:00:00Z' }),
    ];
    assert.deepEqual(namesOf(sortWorkspaces(list, 'lastUsed')), ['a', 'b', 'old']);
  });

  it('sorts volumes by size, those not measured last', () => {
    const list = [volume('none'), volume('small', { usedBytes: 1 }), volume('large', { usedBytes: 9 })];
    assert.deepEqual(namesOf(sortVolumes(list, 'size')), ['large', 'small', 'none']);
  });

  it('sorts volumes of other tools and installations after ours by name', () => {
    const owner = { installation: 'other' };
    const list = [volume('a', { role: 'foreign' }), volume('b', { owner }), volume('z'), volume('y')];
    const sorted = sortVolumes(list, 'name').map(({ name }) => name);
    assert.deepEqual(sorted, ['y', 'z', 'a', 'b']);
  });

  it('does not change the list it is given', () => {
    const list = [workspace('b'), workspace('a')];
    sortWorkspaces(list, 'name');
    assert.deepEqual(namesOf(list), ['b', 'a']);
  });

  it('counts a transition as the state it leads to', () => {
    assert.equal(goalOf('starting'), 'running');
    assert.equal(goalOf('stopping'), 'stopped');
    assert.equal(goalOf('paused'), 'paused');
    assert.equal(workspaceGroup(workspace('a', { state: 'creating' }), 'state'), 'running');
    assert.equal(workspaceGroup(workspace('a'), 'none'), '');
    assert.equal(workspaceGroup(workspace('a'), 'image'), 'workspace:latest');
  });

  it('knows the states that show a spinner', () => {
    assert.deepEqual(
      (['creating', 'running', 'deleting', 'error', 'archiving', 'archived'] as const).filter(isInTransition),
      ['creating', 'deleting', 'archiving'],
    );
  });

  it('groups in the order of the first member', () => {
    assert.deepEqual(
      [...groupBy(['b1', 'a1', 'b2'], (word) => word.charAt(0))],
      [
        ['b', ['b1', 'b2']],
        ['a', ['a1']],
      ],
    );
  });
});
