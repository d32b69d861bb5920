import assert from 'node:assert/strict';
import { useUnlinked } from '../../../support/vscode/unlinked';
import * as vscode from 'vscode';
import type { Workspace } from '../../../../src/api';
import { WorkspacesTree } from '../../../../src/providers/trees/workspaces-tree';
import type { WorkspaceRow } from '../../../../src/providers/trees/rows';
import type { EngineLink } from '../../../../src/ui/engine-link';
import type { Store } from '../../../../src/ui/store';
import { until } from '../../../support/wait';
import { operation, volume, workspace } from '../fixtures';

const { Collapsed, Expanded } = vscode.TreeItemCollapsibleState;

describe('providers/trees/workspaces-tree', () => {
  const unlinked = useUnlinked();
  let store: Store;
  let link: EngineLink;
  let tree: WorkspacesTree;
  /** What VS Code was asked to draw again. */
  let refreshed: unknown[];

  beforeEach(() => {
    ({ store, link } = unlinked());
    tree = new WorkspacesTree(store, link);
    refreshed = [];
    tree.onDidChangeTreeData((rows) => refreshed.push(rows));
  });
  afterEach(() => {
    tree.dispose();
  });

  const load = (...workspaces: Workspace[]): void =>
    store.loadSnapshot({ workspaces, volumes: [], operations: [], drivers: [] });
  const demo = async (): Promise<WorkspaceRow> => {
    const [row] = await tree.getChildren();
    assert.ok(row);
    return row;
  };

  it('draws a row again whose refresh VS Code dropped', async function () {
    this.timeout(10_000);
    load(workspace('demo', { state: 'creating' }));
    const row = await demo();
    tree.getTreeItem(row);
    refreshed.length = 0;
    store.apply({ id: 1, type: 'workspace.changed', payload: workspace('demo', { state: 'running' }) });
    await until('the change is told', () => refreshed.length === 1);
    // VS Code does not ask for the row: it was still drawing it.
    await until('it is told again', () => refreshed.length === 2);
    assert.deepEqual(refreshed[1], [row]);
  });

  it('draws the row of a volume again once there is more in it', async () => {
    const home = workspace('demo').homeVolume;
    load(workspace('demo'));
    const rows = await tree.getChildren(await demo());
    const mount = rows.find((row) => row.type === 'mount');
    refreshed.length = 0;
    store.apply({ id: 1, type: 'volume.changed', payload: volume(home, { usedBytes: 4 * 1024 ** 3 }) });
    await until('the change is told', () => refreshed.length === 1);
    assert.deepEqual(refreshed[0], [mount]);
    assert.ok(mount);
    assert.match(String(tree.getTreeItem(mount).description), /4\.0 GiB/);
  });

  it('leaves a row unfolded or folded as the user left it, also when it comes again', async () => {
    load(workspace('demo'));
    assert.equal(tree.getTreeItem(await demo()).collapsibleState, Collapsed);
    tree.folds.set(await demo(), true);
    assert.equal(tree.getTreeItem(await demo()).collapsibleState, Expanded);
    store.clear();
    assert.deepEqual(await tree.getChildren(), []);
    load(workspace('demo'));
    assert.equal(tree.getTreeItem(await demo()).collapsibleState, Expanded);
    tree.folds.set(await demo(), false);
    assert.equal(tree.getTreeItem(await demo()).collapsibleState, Collapsed);
  });

  it('never makes a row unfoldable that has nothing below it', () => {
    const port: WorkspaceRow = { type: 'port', workspace: 'demo' };
    tree.folds.set(port, true);
    assert.equal(tree.getTreeItem(port).collapsibleState, vscode.TreeItemCollapsibleState.None);
  });

  it('lists the steps of what is under way, with the time of each that has ended', async () => {
    const steps = [
      { name: 'image', title: 'Find the image', outcome: 'done' as const, ms: 40 },
      { name: 'start', title: 'Boot', outcome: 'running' as const },
      { name: 'ssh', title: 'Install keys and start SSH', outcome: 'pending' as const },
    ];
    const progress = { unit: 'bytes' as const, done: 1e6, total: 2e6 };
    const create = operation('o', { workspace: 'demo', kind: 'workspace.create', steps, progress });
    const snapshot = { workspaces: [workspace('demo', { state: 'creating' })], volumes: [], drivers: [] };
    store.loadSnapshot({ ...snapshot, operations: [create] });
    const children = await tree.getChildren(await demo());
    const [row] = children.filter(({ type }) => type === 'operation');
    assert.ok(row);
    assert.equal(tree.getTreeItem(row).label, 'Boot (2/3), 977 KiB of 1.9 MiB');
    const rows = await tree.getChildren(row);
    assert.deepEqual(
      rows.map((each) => {
        const item = tree.getTreeItem(each);
        return [item.label, item.description, item.accessibilityInformation?.label];
      }),
      [
        ['Find the image', '40 ms', 'Find the image, done, 40 ms'],
        ['Boot', '977 KiB of 1.9 MiB', 'Boot, running, 977 KiB of 1.9 MiB'],
        ['Install keys and start SSH', '', 'Install keys and start SSH, to come'],
      ],
    );
    assert.equal(tree.getParent(rows[0] ?? assert.fail()), row);
    // A single step is what the row of the operation says.
    store.loadSnapshot({ ...snapshot, operations: [{ ...create, steps: steps.slice(1, 2) }] });
    assert.deepEqual(await tree.getChildren(row), []);
  });
});
