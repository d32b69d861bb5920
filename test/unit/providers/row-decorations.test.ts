import assert from 'node:assert/strict';
import { standIn } from '../../support/vscode/stand-in';
import * as vscode from 'vscode';
import { sortUris } from '../../../src/providers/drop/sources';
import { volumeUri } from '../../../src/providers/files/volume-uri';
import { RowDecorations } from '../../../src/providers/row-decorations';
import { entryItem, volumeItem } from '../../../src/providers/trees/volume-item';
import { mountItem, rootItem, workspaceItem } from '../../../src/providers/trees/workspace-item';
import { Store } from '../../../src/ui/store';
import { entry, volume, workspace } from './fixtures';

describe('marks beside rows', () => {
  let store: Store;
  let decorations: RowDecorations;
  let here: string | undefined;
  beforeEach(() => {
    standIn.reset();
    store = new Store();
    const mounts = [
      { kind: 'volume' as const, source: 'data', target: '/data', readOnly: true },
      { kind: 'volume' as const, source: 'data', target: '/rw', readOnly: false },
    ];
    const spec = { runtime: 'container' as const, image: 'workspace:latest', mounts };
    const workspaces = [workspace('demo', { spec, protected: true, favourite: true }), workspace('plain')];
    const volumes = [volume('data', { protected: true }), volume('other')];
    store.loadSnapshot({ workspaces, volumes, operations: [], drivers: [] });
    here = undefined;
    decorations = new RowDecorations(store, () => here);
  });
  afterEach(() => {
    decorations.dispose();
    store.dispose();
  });

  const markOf = (uri: vscode.Uri | undefined): string | undefined => {
    const found = uri && decorations.provideFileDecoration(uri);
    return found && `${found.badge ?? ''} ${found.tooltip ?? ''}`;
  };
  const mount = (target: string) =>
    mountItem({ type: 'mount', workspace: 'demo', volume: 'data', target, readOnly: true }, store)
      .resourceUri;

  it('are a star for a favourite and a letter for what is protected', () => {
    const row = (name: string) => workspaceItem({ type: 'workspace', name }, store, []).resourceUri;
    assert.equal(markOf(row('demo')), '★P Favourite, Protected');
    assert.equal(markOf(row('plain')), undefined);
    const item = (name: string) =>
      volumeItem({ type: 'volume', name }, store.volume(name), false).resourceUri;
    assert.equal(markOf(item('data')), 'P Protected');
    assert.equal(markOf(item('other')), undefined);
  });

  it('say which volumes are mounted in the workspace of the window', () => {
    here = 'demo';
    const item = (name: string) =>
      volumeItem({ type: 'volume', name }, store.volume(name), false).resourceUri;
    assert.equal(markOf(item('data')), 'MP Mounted in the workspace of this window, Protected');
    assert.equal(markOf(item('other')), undefined);
    here = 'plain';
    assert.equal(markOf(item('data')), 'P Protected');
  });

  it('say what can be read only: a mount, and the files of a workspace until changes are allowed', () => {
    assert.equal(markOf(mount('/data')), 'RO Read-only');
    assert.equal(markOf(mount('/rw')), undefined);
    const fixed = { isFixed: true, isLocked: false };
    assert.equal(markOf(rootItem({ type: 'root', workspace: 'demo' }, fixed).resourceUri), 'RO Read-only');
    assert.equal(markOf(volumeUri('rootfs@demo', '/etc/hosts')), 'RO Read-only');
    assert.equal(markOf(volumeUri('data', '/a')), undefined);
    const running = workspace('demo', { state: 'running' });
    store.loadSnapshot({ workspaces: [running], volumes: [], operations: [], drivers: [] });
    assert.equal(markOf(volumeUri('rootfs@demo', '/etc/hosts')), 'RO Read-only');
    store.allowRootChanges('demo');
    assert.equal(markOf(volumeUri('rootfs@demo', '/etc/hosts')), undefined);
  });

  it('say it of files in a workspace whose volume is mounted read-only there, not of the same in the volume', () => {
    const marked = (path: string, readOnly: boolean, mounted?: 'volume') =>
      markOf(
        entryItem({
          type: 'file',
          volume: 'data',
          path,
          entry: entry('a.ts', { type: 'file' }),
          inside: { workspace: 'demo', path: `/data${path}`, readOnly, ...(mounted && { mounted }) },
        }).resourceUri,
      );
    assert.equal(marked('/a.ts', true), 'RO Read-only');
    assert.equal(marked('/', true, 'volume'), 'RO Read-only');
    assert.equal(marked('/a.ts', false), undefined);
  });

  it('are asked for again when a workspace or a volume changes', async () => {
    const asked: (vscode.Uri | vscode.Uri[] | undefined)[] = [];
    decorations.onDidChangeFileDecorations((uris) => asked.push(uris));
    store.apply({ id: 1, type: 'volume.changed', payload: volume('other', { protected: true }) });
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual(asked.flat().map(String), ['berth-row://volume/other']);
  });

  it('are no files that could be dropped', () => {
    const uri = mount('/data');
    assert(uri);
    assert.deepEqual(sortUris([uri]), { local: [], places: [], foreign: [], files: [] });
  });
});
