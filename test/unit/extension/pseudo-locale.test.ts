import assert from 'node:assert/strict';
import { standIn } from '../../support/vscode/stand-in';
import type * as vscode from 'vscode';
import { pseudo, untranslated } from '../../support/pseudo-locale';
import { useUnlinked } from '../../support/vscode/unlinked';
import { VolumesTree } from '../../../src/providers/trees/volumes-tree';
import { WorkspacesTree } from '../../../src/providers/trees/workspaces-tree';
import { volumeTooltip } from '../../../src/providers/trees/volume-item';
import { workspaceTooltip } from '../../../src/providers/trees/workspace-tooltip';
import type { VolumeRow, WorkspaceRow } from '../../../src/providers/trees/rows';
import { workspaceStates } from '../../../src/api/rules/lifecycle';
import { operation, volume, workspace } from '../providers/fixtures';

function textsOf({ label, description, tooltip, accessibilityInformation }: vscode.TreeItem): string[] {
  const markdown = typeof tooltip === 'object' ? tooltip.value : tooltip;
  const title = typeof label === 'object' ? label.label : label;
  return [
    title,
    typeof description === 'string' ? description : '',
    markdown,
    accessibilityInformation?.label,
  ].filter((text) => text !== undefined);
}

/** All texts of a tree, opened to its leaves. */
async function textsIn<T extends WorkspaceRow | VolumeRow>(tree: {
  getChildren: (row?: T) => Promise<T[]> | T[];
  getTreeItem: (row: T) => vscode.TreeItem;
}): Promise<string[]> {
  const visit = async (row: T): Promise<string[]> => {
    const isFile = ['volume', 'root', 'file', 'notice'].includes(row.type);
    const children = isFile ? [] : await tree.getChildren(row);
    return [...textsOf(tree.getTreeItem(row)), ...(await Promise.all(children.map(visit))).flat()];
  };
  return (await Promise.all((await tree.getChildren()).map(visit))).flat();
}

const mounts = [{ kind: 'volume' as const, source: 'cache', target: '/cache', readOnly: true }];
const ports = [{ host: 8080, guest: 80, protocol: 'tcp' as const }];
const demo = workspace('demo', {
  state: 'running',
  spec: { runtime: 'microvm', image: 'debian:12', docker: true, mounts, ports },
});
const holder = { runtime: 'container-1', readOnly: true };
const volumes = [
  volume('workspace-demo', { role: 'home', workspace: 'demo', usedBytes: 5000, usedIsAtLeast: true }),
  volume('data', { kind: 'disk', sizeMiB: 20, holders: [{ ...holder, state: 'running' }] }),
  volume('cache', {
    kind: 'directory',
    holders: [
      { ...holder, state: 'unknown' },
      { ...holder, state: 'paused' },
    ],
  }),
  volume('pgdata', { role: 'foreign', managed: false }),
];

describe('in another language, from right to left and twice as long', () => {
  const unlinked = useUnlinked();
  beforeEach(() => {
    standIn.translated = pseudo;
  });
  afterEach(() => standIn.reset());

  it('finds what has no translation', () => {
    assert.equal(untranslated('demo · in use'), true);
    assert.equal(
      untranslated(`demo · ${pseudo('in use by {0}').replace('{0}', 'somebody')} · 1.5 MiB`),
      false,
    );
  });

  for (const state of workspaceStates) {
    it(`the rows of a workspace that is ${state} are translated, whatever hangs on it`, async () => {
      const { store, link } = unlinked();
      const running = operation('o', {
        workspace: 'demo',
        title: pseudo('Start'),
        progress: { unit: 'files', done: 3 },
      });
      const operations = state.endsWith('ing') && state !== 'running' ? [running] : [];
      store.loadSnapshot({ workspaces: [{ ...demo, state }], volumes, operations, drivers: [] });
      const tree = new WorkspacesTree(store, link);
      const texts = await textsIn<WorkspaceRow>(tree);
      tree.dispose();
      assert.ok(texts.length >= 4, texts.join());
      assert.deepEqual(texts.filter(untranslated), []);
    });
  }

  it('the rows of volumes are translated', async () => {
    const { store, link } = unlinked();
    store.loadSnapshot({ workspaces: [demo], volumes, operations: [], drivers: [] });
    const tree = new VolumesTree(store, link, { warn: () => undefined });
    const texts = await textsIn<VolumeRow>(tree);
    tree.dispose();
    assert.ok(texts.length >= 3 * volumes.length, texts.join());
    assert.deepEqual(texts.filter(untranslated), []);
  });

  it('what shows when somebody hovers over a row is translated', () => {
    const usage = {
      cpuPercent: 10,
      memoryBytes: 5e8,
      memoryLimitBytes: 1e9,
      pids: 3,
      networkRxBytes: 0,
      networkTxBytes: 0,
      at: demo.createdAt,
    };
    const panels = [workspaceTooltip(demo, volumes[0], usage), ...volumes.map(volumeTooltip)];
    assert.deepEqual(panels.map(({ value }) => value.replaceAll('\\', '')).filter(untranslated), []);
  });
});
