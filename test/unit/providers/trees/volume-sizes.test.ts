import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { useUnlinked } from '../../../support/vscode/unlinked';
import type { EngineClient } from '../../../../src/client/engine-client';
import { VolumesTree } from '../../../../src/providers/trees/volumes-tree';
import { VolumeSizes } from '../../../../src/providers/trees/volume-sizes';
import { Store } from '../../../../src/ui/store';
import { operation, volume } from '../fixtures';

describe('the size of a volume whose files change', () => {
  const unlinked = useUnlinked();
  const name = 'data';
  /** How much it holds by now, and how often it was counted. */
  let held: number;
  let counted: number;
  let store: Store;
  let sizes: VolumeSizes;

  const call = () => Promise.resolve(volume(name, { usedBytes: (counted++, held) }));

  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    held = 40_960;
    counted = 0;
    store = new Store();
    const link = { client: () => Promise.resolve({ call } as unknown as EngineClient) };
    sizes = new VolumeSizes(link, store, { warn: (words) => assert.fail(words) });
    store.take({ type: 'volume.changed', payload: volume(name) });
  });

  afterEach(() => {
    sizes.dispose();
    store.dispose();
    mock.timers.reset();
  });

  /** Lets that much time pass, and what then happens end. */
  async function pass(seconds: number): Promise<void> {
    mock.timers.tick(seconds * 1000);
    await new Promise((resolve) => setImmediate(resolve));
  }

  async function opened(): Promise<void> {
    sizes.opened(name);
    await pass(0);
    assert.equal(store.volume(name)?.usedBytes, 40_960);
  }

  it('is counted anew, once for many changes', async () => {
    await opened();
    held = 4 * 1024 ** 3;
    for (let i = 0; i < 100; i++) {
      sizes.changed(name);
    }
    await pass(60);
    assert.equal(store.volume(name)?.usedBytes, held);
    assert.equal(counted, 2);
    await pass(600);
    assert.equal(counted, 2);
  });

  it('is counted anew by the tree that shows it', async () => {
    const { link } = unlinked();
    mock.method(link, 'client', () => Promise.resolve({ call } as unknown as EngineClient));
    const tree = new VolumesTree(store, link, { warn: (words) => assert.fail(words) });
    await opened();
    held = 1_000_000;
    store.take({
      type: 'files.changed',
      payload: { volume: name, changes: [{ type: 'changed', path: '/big' }] },
    });
    await pass(60);
    assert.equal(store.volume(name)?.usedBytes, held);
    tree.dispose();
  });

  it('is not counted while something is copied into it, but afterwards', async () => {
    await opened();
    const copy = operation('copy', { kind: 'transfer', volume: name });
    store.take({ type: 'operation.changed', payload: copy });
    sizes.changed(name);
    for (let i = 0; i < 10; i++) {
      await pass(60);
    }
    assert.equal(counted, 1);
    held = 1_000_000;
    store.take({ type: 'operation.changed', payload: { ...copy, status: 'succeeded' } });
    await pass(60);
    assert.equal(store.volume(name)?.usedBytes, held);
  });

  it('is not counted where nobody knows it, of a volume that is gone, and after the end', async () => {
    sizes.changed(name);
    await pass(60);
    assert.equal(counted, 0);
    await opened();
    sizes.changed(name);
    store.take({ type: 'volume.deleted', payload: { name } });
    await pass(60);
    store.take({ type: 'volume.changed', payload: volume(name, { usedBytes: 1 }) });
    sizes.changed(name);
    sizes.dispose();
    await pass(60);
    assert.equal(counted, 1);
  });
});
