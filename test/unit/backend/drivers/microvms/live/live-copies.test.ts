/** Copies of disks of machines that stand still: what is said of them, and who has to wait for them. */
import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LiveCopies } from '../../../../../../src/backend/drivers/microvms/live/live-copies';
import type { Machines } from '../../../../../../src/backend/drivers/microvms/machines/machines';
import type { RuntimeRecord } from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-record';
import type { RuntimeStore } from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-store';
import { KeyedLock } from '../../../../../../src/backend/machine/keyed-lock';
import { failure } from '../../../../../support/errors';
import { useTempFolder } from '../../../../../support/temp';
import { until, within } from '../../../../../support/wait';

const name = 'workspace-w';
const job = () => ({ signal: new AbortController().signal, report: () => undefined });

describe('a copy of a disk of a microVM that stands still', function () {
  this.timeout(20_000);
  const folder = useTempFolder();
  const lock = new KeyedLock();
  let record: RuntimeRecord;
  let isHalted: boolean;
  let copying: boolean;
  let live: LiveCopies;

  /** qcow2, which is never cloned: copied by a program that we write. */
  beforeEach(async () => {
    const file = join(folder(), 'home.qcow2');
    await writeFile(file, 'x');
    await writeProgram('for last; do :; done; touch "$last"');
    [isHalted, copying] = [false, false];
    record = {
      id: '00000000-0000-4000-8000-000000000000',
      plan: {
        ...{ name, workspace: 'w', image: 'i', env: {}, limits: {}, docker: false, network: 'on' },
        ...{ homeVolume: 'v', mounts: [], sshPort: 1 },
      },
      ...{ imageId: 'sha256:0', env: {}, createdAt: '2026-01-01T00:00:00.000Z', paused: true },
      launch: {
        ...{ acceleration: 'tcg', build: 'b', kit: 'k', kernel: '/k', initrd: '/i', kernelArguments: [] },
        ...{ cpus: 1, memoryMiB: 64 },
        disks: [{ serial: 'root', file, format: 'qcow2', readOnly: false }],
      },
    };
    const machine = { name, state: () => Promise.resolve('paused'), isHalted: false };
    live = new LiveCopies({
      store: { get: () => Promise.resolve(record) } as unknown as RuntimeStore,
      machines: { of: () => Promise.resolve({ ...machine, isHalted }) } as unknown as Machines,
      whilePaused: (_, work) =>
        lock.run(name, async () => {
          copying = true;
          return work(record);
        }),
      qemuImg: () => Promise.resolve(join(folder(), 'qemu-img')),
      log: { debug() {}, info() {}, warn() {}, error() {} },
    });
  });
  const writeProgram = async (script: string): Promise<void> => {
    const program = join(folder(), 'qemu-img');
    await writeFile(program, `#!/bin/sh\n${script}\n`);
    await chmod(program, 0o700);
  };
  const copy = () => live.ofRoot(name, join(folder(), `draft-${Math.random()}`), job());

  it('is clean only when its guest had written all', async () => {
    assert.deepEqual(await copy(), { heldMs: 0, isShared: false, notes: [] });
    record = { ...record, unsynced: true };
    assert.match((await copy()).notes.join(), /it did not write all .*as after a power cut/);
    record = { ...record, unsynced: undefined, paused: undefined };
    assert.match((await copy()).notes.join(), /it did not write all .*as after a power cut/);
    record = { ...record, paused: true };
    isHalted = true;
    assert.match((await copy()).notes.join(), /a disk of it could not be written.*as after a power cut/);
  });

  it('is given up at once for whoever stops it, has it go on, or closes', async () => {
    await writeProgram('exec sleep 60');
    const doings: (() => Promise<unknown>)[] = [
      () => live.without(name, () => lock.run(name, () => Promise.resolve())),
      () => live.goingOn(name, () => lock.run(name, () => Promise.resolve())),
      () => live.close(),
    ];
    for (const work of doings) {
      copying = false;
      const copied = failure(copy(), 'illegal_state');
      await until('it is copied', () => copying);
      await sleep(50);
      await within('it is done', work(), 5_000);
      assert.match((await copied).message, /was not copied/);
    }
    await failure(copy(), 'illegal_state');
  });
});
