import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import * as vscode from 'vscode';
import type { Operation } from '../../../../src/api';
import { operationItem, stepItem, stepRows } from '../../../../src/providers/trees/operation-item';
import { useUnlinked } from '../../../support/vscode/unlinked';
import { operation, workspace } from '../fixtures';

describe('the rows of what is under way', () => {
  const unlinked = useUnlinked();
  beforeEach(() => standIn.reset());
  const steps: Operation['steps'] = [
    { name: 'image', title: 'Find the image', outcome: 'done', ms: 1200 },
    { name: 'boot', title: 'Boot', outcome: 'running' },
    { name: 'ssh', title: 'Install keys and start SSH', outcome: 'pending' },
    { name: 'git', title: 'Install git', outcome: 'failed', ms: 10, message: 'apt is not there.' },
  ];
  const shown = (more: Partial<Operation>) => {
    const { store } = unlinked();
    store.take({ type: 'workspace.changed', payload: workspace('demo', { label: 'Shop' }) });
    const payload = operation('a', { workspace: 'demo', ...more });
    store.loadSnapshot({
      workspaces: [...store.workspaces],
      volumes: [],
      operations: [payload],
      drivers: [],
    });
    const row = { type: 'operation', workspace: 'demo', id: 'a' } as const;
    return {
      item: operationItem(row, store),
      steps: stepRows(row, store).map((each) =>
        each.type === 'step' ? stepItem(each, store) : assert.fail(),
      ),
    };
  };

  it('are a checklist: each step with its outcome, how long it took, and what it said', () => {
    const { item, steps: rows } = shown({ steps });
    assert.equal(item.collapsibleState, vscode.TreeItemCollapsibleState.Expanded);
    assert.equal(item.tooltip, 'Starting Shop');
    assert.deepEqual(
      rows.map(({ label, description, iconPath }) => [label, description, (iconPath as vscode.ThemeIcon).id]),
      [
        ['Find the image', '1.2 s', 'pass'],
        ['Boot', '', 'loading~spin'],
        ['Install keys and start SSH', '', 'circle-outline'],
        ['Install git', '10 ms', 'error'],
      ],
    );
    assert.equal(rows[3]?.tooltip, 'apt is not there.');
    assert.equal(rows[2]?.accessibilityInformation?.label, 'Install keys and start SSH, to come');
  });

  it('are one row where there is one step, with a cross where it can be cancelled', () => {
    const one = shown({ steps: steps.slice(0, 1), cancellable: true });
    assert.equal(one.item.collapsibleState, vscode.TreeItemCollapsibleState.None);
    assert.deepEqual([one.steps, one.item.contextValue], [[], 'operation+cancellable']);
    assert.equal(shown({ steps: [], cancellable: false }).item.contextValue, 'operation');
  });
});
