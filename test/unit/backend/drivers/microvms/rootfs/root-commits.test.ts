import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  RootCommits,
  type RootCommitsDeps,
} from '../../../../../../src/backend/drivers/microvms/rootfs/root-commits';
import type { CommitFrom } from '../../../../../../src/backend/drivers/microvms/parts';
import { useTempFolder } from '../../../../../support/temp';

describe('an image of a microVM that is not stopped', () => {
  const folder = useTempFolder();

  it('is told what is to be known of the copy that it is made of', async () => {
    const rootfs = join(folder(), 'rootfs.qcow2');
    writeFileSync(rootfs, 'x');
    const { signal } = new AbortController();
    const archive = {
      commit: async ({ copyTo }: CommitFrom) => {
        await copyTo('/draft', { report: () => undefined, signal });
        return 'sha256:1';
      },
    };
    const deps = {
      images: { archive },
      store: { get: () => Promise.resolve({}), files: { of: () => ({ rootfs }) } },
      stateOf: () => Promise.resolve('running'),
      live: { ofRoot: () => Promise.resolve({ heldMs: 0, isShared: false, notes: ['one', 'two'] }) },
    };
    const warned: string[] = [];
    const commits = new RootCommits(deps as unknown as RootCommitsDeps);
    const plan = { image: 'i:1', without: [], warn: (text: string) => void warned.push(text) };
    assert.equal(await commits.commit('workspace-w', plan, () => undefined, signal), 'sha256:1');
    assert.deepEqual(warned, ['one', 'two']);
  });

  it('is copied as what its root disk has of its own where it stays here', async () => {
    const rootfs = join(folder(), 'rootfs.qcow2');
    writeFileSync(rootfs, 'x');
    const { signal } = new AbortController();
    const copied: unknown[] = [];
    const archive = {
      commit: async ({ layer, isLocal }: CommitFrom) => {
        await layer.copyTo('/draft', { report: () => undefined, signal });
        copied.push(layer.base, isLocal);
        return 'sha256:1';
      },
    };
    const deps = {
      images: { archive },
      store: { get: () => Promise.resolve({}), files: { of: () => ({ rootfs, base: '/base' }) } },
      stateOf: () => Promise.resolve('running'),
      live: {
        ofRoot: (_name: string, draft: string, _job: unknown, options: unknown) => {
          copied.push(draft, options);
          return Promise.resolve({ heldMs: 0, isShared: false, notes: [] });
        },
      },
    };
    const commits = new RootCommits(deps as unknown as RootCommitsDeps);
    const plan = { image: 'i:1', without: [], isLocal: true };
    await commits.commit('workspace-w', plan, () => undefined, signal);
    assert.deepEqual(copied, ['/draft', { isLayer: true }, '/base', true]);
  });
});
