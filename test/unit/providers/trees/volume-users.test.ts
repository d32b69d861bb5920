import assert from 'node:assert/strict';
import { useUnlinked } from '../../../support/vscode/unlinked';
import type { Holder } from '../../../../src/api';
import { rowId, type VolumeRow } from '../../../../src/providers/trees/rows';
import { userItem, usersOf } from '../../../../src/providers/trees/volume-users';
import { VolumesTree } from '../../../../src/providers/trees/volumes-tree';
import { until } from '../../../support/wait';
import { volume, workspace } from '../fixtures';

const holder = (more: Partial<Holder>): Holder => ({
  runtime: 'r',
  state: 'running',
  readOnly: false,
  ...more,
});
const mount = (target: string, readOnly: boolean) => ({
  kind: 'volume' as const,
  source: 'data',
  target,
  readOnly,
});
const mounting = (name: string, ...mounts: ReturnType<typeof mount>[]) =>
  workspace(name, {
    label: `The ${name}`,
    spec: { runtime: 'container', image: 'workspace:latest', mounts },
  });

describe('who uses a volume', () => {
  const unlinked = useUnlinked();
  const workspaces = [
    mounting('web', mount('/data', true)),
    { ...mounting('api', mount('/data', false), mount('/ro', true)), state: 'running' as const },
    workspace('other'),
  ];
  const data = volume('data', {
    holders: [
      holder({ runtime: 'workspace-api', workspace: 'api' }),
      holder({ runtime: 'db', state: 'stopped', readOnly: true }),
    ],
  });

  it('are workspaces that mount it, running or not, and runtimes of others', () => {
    assert.deepEqual(
      usersOf(data, workspaces).map(({ name, state, readOnly, targets }) => [
        name,
        state,
        readOnly,
        ...targets,
      ]),
      [
        ['api', 'running', false, '/data', '/ro'],
        ['db', 'stopped', true],
        ['web', 'stopped', true, '/data'],
      ],
    );
  });

  it('is not the workspace that it belongs to, and is called after', () => {
    const home = volume('workspace-other', {
      role: 'home',
      workspace: 'other',
      holders: [holder({ runtime: 'workspace-other', workspace: 'other' })],
    });
    assert.deepEqual(usersOf(home, workspaces), []);
  });

  it('is named once, also where a container of somebody else is called as a workspace is', () => {
    const holders = [...data.holders, holder({ runtime: 'web' }), holder({ runtime: 'db' })];
    const names = usersOf({ ...data, holders }, workspaces).map(({ name, targets }) => [name, ...targets]);
    assert.deepEqual(names, [['api', '/data', '/ro'], ['db'], ['web', '/data']]);
  });

  it('is a row that says where, how, and leads to the workspace', () => {
    const { store } = unlinked();
    store.loadSnapshot({ workspaces, volumes: [data], operations: [], drivers: [] });
    const item = (name: string) => userItem({ type: 'user', volume: 'data', name }, store);
    const web = item('web');
    assert.deepEqual([web.label, web.description], ['Used by The web', 'stopped · /data · read-only']);
    assert.equal(web.accessibilityInformation?.label, 'Used by The web, stopped · /data · read-only');
    assert.deepEqual([web.command?.command, web.command?.arguments], ['berth.view.showWorkspace', ['web']]);
    assert.equal(String(web.resourceUri), 'berth-row://mount/web/data');
    assert.equal(item('api').resourceUri, undefined);
    assert.deepEqual([item('db').label, item('db').command], ['Used by db', undefined]);
    assert.equal(item('gone').label, 'Used by gone');
  });

  it('follows its workspace, which may go and come while the volume is open', async () => {
    const { store, link } = unlinked();
    store.loadSnapshot({ workspaces, volumes: [data], operations: [], drivers: [] });
    const tree = new VolumesTree(store, link, { warn: () => undefined });
    await tree.getChildren();
    await tree.getChildren(tree.rowOfVolume('data'));
    let fired: string[] = [];
    tree.onDidChangeTreeData((rows) => {
      fired.push(...(Array.isArray(rows) ? rows.map((row: VolumeRow) => rowId(row)) : ['all']));
    });
    const after = async (event: Parameters<typeof store.take>[0]): Promise<string[]> => {
      fired = [];
      store.take(event);
      await until('it is told', () => fired.length > 0);
      return fired;
    };
    const running = { ...mounting('web', mount('/data', true)), state: 'running' as const };
    assert.deepEqual(await after({ type: 'workspace.changed', payload: running }), ['user:data:web']);
    assert.deepEqual(await after({ type: 'workspace.deleted', payload: { name: 'web' } }), ['volume:data']);
    const fresh = mounting('fresh', mount('/data', true));
    assert.deepEqual(await after({ type: 'workspace.changed', payload: fresh }), ['volume:data']);
    assert.deepEqual(await after({ type: 'workspace.changed', payload: running }), ['volume:data']);
    tree.dispose();
  });

  it('is before the files of the volume', async () => {
    const { store, link } = unlinked();
    store.loadSnapshot({ workspaces, volumes: [data], operations: [], drivers: [] });
    const tree = new VolumesTree(store, link, { warn: () => undefined });
    const row: VolumeRow = { type: 'volume', name: 'data' };
    const rows = await tree.getChildren(row);
    assert.deepEqual(
      rows.map((each) => each.type),
      ['user', 'user', 'user', 'notice'],
    );
    assert.deepEqual(rows[0] && tree.getParent(rows[0]), row);
    tree.dispose();
  });
});
