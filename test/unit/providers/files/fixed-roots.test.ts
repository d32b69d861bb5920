import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import * as vscode from 'vscode';
import type { WorkspaceState } from '../../../../src/api';
import { fileStat } from '../../../../src/providers/files/file-stat';
import { FixedRoots, lockedRoot } from '../../../../src/providers/files/fixed-roots';
import { Store } from '../../../../src/ui/store';
import { entry, workspace } from '../fixtures';

describe('providers/files/fixed-roots', () => {
  let store: Store;
  let changed: string[];
  let roots: FixedRoots;

  beforeEach(() => {
    standIn.reset();
    store = new Store();
    changed = [];
    roots = new FixedRoots(store, (volume) => changed.push(volume));
  });
  afterEach(() => {
    roots.dispose();
    store.dispose();
  });

  /** Known to the store at once, without waiting for what is gathered. */
  const is = (state: WorkspaceState): void => store.expect('demo', state);

  it('holds the files of a workspace for read-only until changes are allowed and it runs, and those of volumes never', () => {
    store.loadSnapshot({ workspaces: [workspace('demo')], volumes: [], operations: [], drivers: [] });
    assert.equal(roots.has('rootfs@demo'), true);
    assert.equal(roots.has('workspace-demo'), false);
    is('running');
    assert.equal(roots.has('rootfs@demo'), true);
    store.allowRootChanges('demo');
    assert.equal(roots.has('rootfs@demo'), false);
    is('paused');
    assert.equal(roots.has('rootfs@demo'), true);
    assert.equal(roots.has('rootfs@nobody-knows-it'), false);
  });

  it('says so when files become writable, and when they are so no longer, once each', () => {
    store.loadSnapshot({ workspaces: [workspace('demo')], volumes: [], operations: [], drivers: [] });
    roots.has('rootfs@demo');
    is('starting');
    assert.deepEqual(changed, []);
    is('running');
    assert.deepEqual(changed, []);
    store.allowRootChanges('demo');
    assert.deepEqual(changed, ['rootfs@demo']);
    is('stopping');
    is('stopped');
    assert.deepEqual(changed, ['rootfs@demo', 'rootfs@demo']);
  });

  it('names the workspace whose files only have to be allowed to change, and asks anew for one of the same name', () => {
    store.loadSnapshot({ workspaces: [workspace('demo')], volumes: [], operations: [], drivers: [] });
    assert.equal(lockedRoot(store, 'rootfs@demo'), undefined);
    is('running');
    assert.equal(lockedRoot(store, 'rootfs@demo'), 'demo');
    assert.equal(lockedRoot(store, 'workspace-demo'), undefined);
    store.allowRootChanges('demo');
    assert.equal(lockedRoot(store, 'rootfs@demo'), undefined);
    store.take({ type: 'workspace.deleted', payload: { name: 'demo' } });
    store.take({ type: 'workspace.changed', payload: workspace('demo', { state: 'running' }) });
    assert.equal(lockedRoot(store, 'rootfs@demo'), 'demo');
  });

  it('makes a stat of it read-only for VS Code, whatever the file itself permits', () => {
    assert.equal(fileStat(entry('a'), true).permissions, vscode.FilePermission.Readonly);
    assert.equal(fileStat(entry('a'), false).permissions, undefined);
    assert.equal(fileStat(entry('a', { mode: 0o444 }), false).permissions, vscode.FilePermission.Readonly);
  });
});
