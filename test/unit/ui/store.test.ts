import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineEvent, Volume, Workspace } from '../../../src/api';
import { Store, type StoreChange } from '../../../src/ui/store';
import { fastest } from '../../support/fastest';
import { operation, volume, workspace } from '../providers/fixtures';

const changed = (payload: Workspace): EngineEvent => ({ id: 1, type: 'workspace.changed', payload });
const empty = { workspaces: [], volumes: [], operations: [], drivers: [] };

describe('the store of what the engine tells', () => {
  let store: Store;
  let reported: StoreChange[];

  beforeEach(() => {
    store = new Store();
    reported = [];
    store.onDidChange((change) => reported.push(change));
  });
  afterEach(() => store.dispose());

  it('gathers changes for a moment and tells them once, by name', async () => {
    store.apply(changed(workspace('a')));
    store.apply(changed(workspace('a', { state: 'starting' })));
    store.apply(changed(workspace('b')));
    assert.equal(reported.length, 0);
    await sleep(80);
    assert.equal(reported.length, 1);
    assert.deepEqual([...(reported[0]?.workspaces ?? [])], ['a', 'b']);
    assert.equal(reported[0]?.all, false);
  });

  it('tells within 50 ms', async () => {
    const ms = await fastest(5, async () => {
      const reported = new Promise<void>((resolve) => store.onDidChange(() => resolve()));
      store.apply(changed(workspace('a')));
      await reported;
    });
    assert.ok(ms < 100, `${ms} ms`);
  });

  it('shows an expected state at once and until the engine says something', () => {
    store.loadSnapshot({ ...empty, workspaces: [workspace('a')] });
    reported.length = 0;
    store.expect('a', 'starting');
    assert.equal(reported.length, 1);
    assert.equal(store.workspace('a')?.state, 'starting');
    store.apply(changed(workspace('a', { state: 'running' })));
    assert.equal(store.workspace('a')?.state, 'running');
  });

  it('takes an expected state back when the command ended without an event', () => {
    store.loadSnapshot({ ...empty, workspaces: [workspace('a')] });
    store.expect('a', 'starting');
    store.settle('a');
    assert.equal(store.workspace('a')?.state, 'stopped');
    assert.equal(store.workspaces[0]?.state, 'stopped');
  });

  it('lets events win over a snapshot that was asked for before them', () => {
    store.beginSnapshot();
    store.apply(changed(workspace('a', { state: 'running' })));
    store.apply({ id: 2, type: 'workspace.deleted', payload: { name: 'b' } });
    store.loadSnapshot({ ...empty, workspaces: [workspace('a'), workspace('b'), workspace('c')] });
    assert.equal(store.workspace('a')?.state, 'running');
    assert.equal(store.workspace('b'), undefined);
    assert.equal(store.workspace('c')?.state, 'stopped');
  });

  it('forgets what a snapshot no longer holds', () => {
    store.loadSnapshot({ ...empty, workspaces: [workspace('a')], volumes: [volume('v')] });
    store.loadSnapshot({ ...empty, workspaces: [workspace('b')] });
    assert.deepEqual(
      store.workspaces.map(({ name }) => name),
      ['b'],
    );
    assert.deepEqual(store.volumes, []);
    assert.equal(reported.at(-1)?.all, true);
  });

  it('keeps a measured size when an event comes without one', () => {
    const measured = { usedBytes: 7, usedIsAtLeast: true, usedAt: 'then' };
    store.apply({ id: 1, type: 'volume.changed', payload: volume('v', measured) });
    store.apply({ id: 2, type: 'volume.changed', payload: volume('v', { role: 'home' }) });
    assert.deepEqual(store.volume('v'), volume('v', { role: 'home', ...measured }));
  });

  it('keeps the measured size of the same volume in a snapshot, and of no other one of its name', () => {
    const measured = { usedBytes: 7, usedIsAtLeast: true, usedAt: 'then' };
    const load = (now: Partial<Volume>) => {
      store.loadSnapshot({ ...empty, volumes: [volume('v', now)] });
      return store.volume('v');
    };
    load({ id: '1', ...measured });
    assert.deepEqual(load({ id: '1' }), volume('v', { id: '1', ...measured }));
    assert.deepEqual(load({ id: '1', usedBytes: 8 }), volume('v', { id: '1', usedBytes: 8 }));
    assert.deepEqual(load({ id: '2' }), volume('v', { id: '2' }));
  });

  it('tells every change of an operation, and refreshes the row of its workspace', async () => {
    const seen: string[] = [];
    store.onOperation(({ id, status }) => seen.push(`${id} ${status}`));
    store.take({ type: 'operation.changed', payload: operation('1', { workspace: 'a' }) });
    assert.deepEqual(
      store.runningOperations.map(({ id }) => id),
      ['1'],
    );
    store.take({
      type: 'operation.changed',
      payload: operation('1', { workspace: 'a', status: 'succeeded' }),
    });
    assert.deepEqual(store.runningOperations, []);
    assert.deepEqual(seen, ['1 running', '1 succeeded']);
    await sleep(80);
    assert.ok(reported[0]?.workspaces.has('a'));
  });

  it('never has what has ended run again, whatever answer comes late', () => {
    const ended = operation('o', { status: 'failed' });
    store.take({ type: 'operation.changed', payload: ended });
    store.take({ type: 'operation.changed', payload: operation('o', { status: 'running' }) });
    assert.equal(store.operation('o')?.status, 'failed');
    assert.deepEqual(store.runningOperations, []);
  });

  it('takes no answer that is older than what events have told meanwhile', () => {
    const take = store.awaitWorkspace('a');
    take(workspace('a', { label: 'first' }));
    assert.equal(store.workspace('a')?.label, 'first');
    const late = store.awaitWorkspace('a');
    store.apply({ id: 1, type: 'workspace.changed', payload: workspace('a', { state: 'stopped' }) });
    late(workspace('a', { state: 'running' }));
    assert.equal(store.workspace('a')?.state, 'stopped');
    const tooLate = store.awaitWorkspace('a');
    store.apply({ id: 2, type: 'workspace.deleted', payload: { name: 'a' } });
    tooLate(workspace('a'));
    assert.equal(store.workspace('a'), undefined);
    const beforeAll = store.awaitWorkspace('b');
    store.loadSnapshot(empty);
    beforeAll(workspace('b'));
    assert.equal(store.workspace('b'), undefined);
  });

  it('takes the size of a volume from a late answer, and nothing else', () => {
    store.loadSnapshot({ ...empty, volumes: [volume('v', { holders: [] })] });
    const late = store.awaitVolume('v');
    const holders = [{ runtime: 'workspace-a', workspace: 'a', state: 'running' as const, readOnly: false }];
    store.apply({ id: 1, type: 'volume.changed', payload: volume('v', { holders }) });
    late(volume('v', { holders: [], usedBytes: 5 }));
    assert.deepEqual(store.volume('v'), volume('v', { holders, usedBytes: 5 }));
    const tooLate = store.awaitVolume('v');
    store.apply({ id: 2, type: 'volume.deleted', payload: { name: 'v' } });
    tooLate(volume('v', { usedBytes: 6 }));
    assert.equal(store.volume('v'), undefined);
  });

  it('does not keep ended operations for ever', () => {
    for (let number = 0; number < 200; number++) {
      store.take({ type: 'operation.changed', payload: operation(`o${number}`, { status: 'succeeded' }) });
    }
    assert.equal(store.operation('o0'), undefined);
    assert.equal(store.operation('o199')?.status, 'succeeded');
  });

  it('passes on file changes and resets', () => {
    const files: string[] = [];
    const resets: string[] = [];
    store.onDidChangeFiles((change) => files.push(change.volume));
    const resetting = store.onReset((reason) => resets.push(reason));
    store.apply({
      id: 1,
      type: 'files.changed',
      payload: { volume: 'v', changes: [{ type: 'created', path: '/a' }] },
    });
    store.apply({ id: 2, type: 'reset', payload: { reason: 'too old' } });
    resetting.dispose();
    store.apply({ id: 3, type: 'reset', payload: { reason: 'again' } });
    assert.deepEqual(files, ['v']);
    assert.deepEqual(resets, ['too old']);
  });

  it('replaces a driver that became available', () => {
    store.apply({ id: 1, type: 'driver.changed', payload: { runtime: 'container', available: false } });
    store.apply({ id: 2, type: 'driver.changed', payload: { runtime: 'container', available: true } });
    assert.deepEqual(store.drivers, [{ runtime: 'container', available: true }]);
  });

  it('holds a thousand workspaces and lists them quickly', async () => {
    const workspaces = Array.from({ length: 1000 }, (_, index) => workspace(`w${index}`));
    const ms = await fastest(5, () => {
      store.loadSnapshot({ ...empty, workspaces });
      assert.equal(store.workspaces.length, 1000);
    });
    assert.ok(ms < 100, `${ms} ms`);
  });
});
