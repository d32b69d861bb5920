import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import { useUnlinked } from '../../../support/vscode/unlinked';
import type { Volume } from '../../../../src/api';
import type { Store } from '../../../../src/ui/store';
import { VolumesTree } from '../../../../src/providers/trees/volumes-tree';
import type { VolumeRow } from '../../../../src/providers/trees/rows';
import { volume, workspace } from '../fixtures';

const volumes: readonly Volume[] = [
  volume('aaa-of-others', { role: 'foreign', managed: false }),
  volume('cache'),
  volume('workspace-api', { role: 'home', workspace: 'api' }),
  volume('workspace-api-docker', { role: 'docker', workspace: 'api' }),
  volume('workspace-b', { role: 'home', workspace: 'b', owner: { installation: 'another' } }),
  volume('workspace-kept', { role: 'home', workspace: 'kept' }),
];

describe('the groups of the Volumes view', () => {
  const unlinked = useUnlinked();
  let tree: VolumesTree;
  let known: Store;

  beforeEach(() => {
    const { store, link, log } = unlinked();
    known = store;
    tree = new VolumesTree(store, link, log);
    const workspaces = [workspace('api', { dockerVolume: 'workspace-api-docker' })];
    store.loadSnapshot({ workspaces, volumes: [...volumes], operations: [], drivers: [] });
  });
  afterEach(() => {
    tree.dispose();
  });

  const shown = async (rows: VolumeRow[]): Promise<string[]> =>
    (
      await Promise.all(
        rows.map(async (row) => {
          const { label, description } = tree.getTreeItem(row);
          const below = row.type === 'group' ? await shown(await tree.getChildren(row)) : [];
          assert.ok(typeof label === 'string');
          return [`${label}: ${String(description)}`, ...below];
        }),
      )
    ).flat();

  it('are homes by their workspaces, then named ones, then those of others', async () => {
    assert.deepEqual(await shown(await tree.getChildren()), [
      ...['Homes: 3', 'api: home', 'api: Docker data', 'workspace-kept: home'],
      ...['Named: 1', 'cache: Docker volume'],
      ...['Other tools: 2', 'aaa-of-others: other tool', 'workspace-b: another installation · home'],
    ]);
  });

  it('leave the other groups alone when one has another member, and are drawn anew when one comes or goes', async () => {
    const [homes, , foreign] = await tree.getChildren();
    assert.ok(homes !== undefined && foreign !== undefined);
    await tree.getChildren(homes);
    const fired = async (change: () => void): Promise<unknown> => {
      const told = new Promise<unknown>((resolve) => {
        const listening = tree.onDidChangeTreeData((rows) => {
          listening.dispose();
          resolve(rows);
        });
      });
      change();
      return told;
    };
    const other = volume('zzz-of-others', { role: 'foreign', managed: false });
    assert.deepEqual(await fired(() => known.apply({ id: 1, type: 'volume.changed', payload: other })), [
      foreign,
    ]);
    assert.equal((await tree.getChildren(foreign)).length, 3);
    assert.equal(
      await fired(() => known.apply({ id: 2, type: 'volume.deleted', payload: { name: 'cache' } })),
      undefined,
    );
    assert.equal((await tree.getChildren()).length, 2);
  });

  it('say the whole name of a home to who hovers, and its workspace to a screen reader', () => {
    const row: VolumeRow = { type: 'volume', name: 'workspace-api' };
    const item = tree.getTreeItem(row);
    assert.equal(item.accessibilityInformation?.label, 'Volume api, home');
    const { tooltip } = tree.resolveTreeItem(item, row);
    assert.match(JSON.stringify(tooltip), /workspace.*api/);
  });

  it('hide all of what others made where the setting says so', async () => {
    standIn.settings.set('berth.volumes.showForeign', { globalValue: false });
    const labels = (await tree.getChildren()).map((row) => tree.getTreeItem(row).label);
    assert.deepEqual(labels, ['Homes', 'Named']);
    standIn.settings.set('berth.volumes.groupBy', { globalValue: 'none' });
    const rows = await tree.getChildren();
    assert.deepEqual(
      rows.map((row) => (row.type === 'volume' ? row.name : row.type)),
      ['workspace-api', 'workspace-api-docker', 'cache', 'workspace-kept'],
    );
  });
});
