import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bases } from '../../../../../../src/backend/drivers/microvms/rootfs/bases';
import type { RuntimeRecord } from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-record';
import type { RuntimeStore } from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-store';
import { StoppedRoots } from '../../../../../../src/backend/drivers/microvms/rootfs/stopped-roots';
import { failure } from '../../../../../support/errors';
import { useTempFolder } from '../../../../../support/temp';
import { until } from '../../../../../support/wait';

describe('microvms/rootfs/stopped-roots', () => {
  const folder = useTempFolder();
  const record = { plan: { name: 'workspace-x', workspace: 'x' } } as RuntimeRecord;
  let isHeld: boolean;

  /** Copies that do not come to an end. */
  const endless = (freeBytes = 2 ** 40): StoppedRoots => {
    const [rootfs, base] = ['rootfs.qcow2', 'base.ext4'].map((name) => join(folder(), name));
    writeFileSync(rootfs!, '');
    writeFileSync(base!, 'x'.repeat(5000));
    const program = join(folder(), 'qemu-img');
    writeFileSync(program, '#!/bin/sh\nfor copy; do :; done\necho >"$copy"\nexec sleep 60\n', {
      mode: 0o755,
    });
    return new StoppedRoots({
      store: { files: { of: () => ({ rootfs, base }) } } as unknown as RuntimeStore,
      bases: { require: () => Promise.resolve() } as unknown as Bases,
      qemuImg: () => Promise.resolve(program),
      whileStopped: async (_, work) => {
        isHeld = true;
        await work(record).finally(() => (isHeld = false));
      },
      freeBytes: () => Promise.resolve(freeBytes),
    });
  };
  const drafts = () => readdirSync(folder()).filter((name) => name.startsWith('.berth-draft-'));
  const copying = () =>
    until('it is copied', () => Promise.resolve(drafts().length > 0 || undefined), 5000, 10);

  for (const [what, giveUp] of [
    ['is to be started', (roots: StoppedRoots): unknown => roots.giveWay('workspace-x')],
    ['is to be removed', (roots: StoppedRoots): unknown => roots.forget('workspace-x')],
  ] as const) {
    it(`gives a copy up when the runtime ${what}`, async () => {
      const roots = endless();
      const listed = failure((await roots.files(record)).list('/'), 'illegal_state');
      await copying();
      assert(isHeld);
      await giveUp(roots);
      assert.match((await listed).message, /workspace-x was not read/);
      assert(!isHeld);
      assert.deepEqual(drafts(), []);
      assert(existsSync(join(folder(), 'rootfs.qcow2')));
      await roots.close();
    });
  }

  it('makes no copy that could take the room of microVMs that run', async () => {
    const roots = endless(512 * 2 ** 20 + 4096);
    const { hint } = await failure((await roots.files(record)).list('/'), 'no_space');
    assert.match(hint ?? '', /Make 513 MiB free at .*, or start the workspace/);
    assert.deepEqual([drafts(), isHeld], [[], false]);
    await roots.close();
  });
});
