/** Who has a disk of a microVM does not wait for what waits for that disk. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RuntimeRecord } from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-record';
import {
  Runtimes,
  type RuntimesDeps,
} from '../../../../../../src/backend/drivers/microvms/runtimes/runtimes';
import { RuntimeLock } from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-lock';
import { KeyedLock } from '../../../../../../src/backend/machine/keyed-lock';

const name = 'workspace-w';
const { signal } = new AbortController();
const record: RuntimeRecord = {
  id: '00000000-0000-4000-8000-000000000000',
  plan: {
    ...{ name, workspace: 'w', image: 'i', env: {}, limits: {}, docker: false, network: 'on' },
    ...{ homeVolume: 'v', mounts: [], sshPort: 1 },
  },
  ...{ imageId: 'sha256:0', env: {}, createdAt: '2026-01-01T00:00:00.000Z' },
};

/** Runtimes of one that is in a state, whose volume is taken as it begins to run. */
function runtimesOf(state: 'paused' | 'stopped', takeVolume: () => Promise<void>): Runtimes {
  const deps = {
    log: { debug() {}, info() {}, warn() {}, error() {} },
    store: { get: () => Promise.resolve(record), find: () => Promise.resolve(record), files: {} },
    machines: { of: () => Promise.resolve(undefined), kill: () => Promise.resolve() },
    disks: { release: () => Promise.resolve() },
    starter: { start: takeVolume, unshare: () => Promise.resolve() },
    suspender: {
      isSaved: () => Promise.resolve(state === 'paused'),
      settled: () => Promise.resolve(),
      resume: takeVolume,
      forget: () => Promise.resolve(),
    },
  };
  return new Runtimes(deps as unknown as RuntimesDeps);
}

describe('a copy of a disk of a paused microVM', () => {
  const doings: [string, 'paused' | 'stopped', (runtimes: Runtimes) => Promise<unknown>][] = [
    ['start', 'stopped', (runtimes) => runtimes.start(name)],
    ['start of what was saved', 'paused', (runtimes) => runtimes.start(name)],
    ['resume', 'paused', (runtimes) => runtimes.resume(name)],
    ['stop of what was saved', 'paused', (runtimes) => runtimes.stop(name, 1_000)],
  ];

  for (const [what, state, work] of doings) {
    it(`and a ${what}, which both want the same volume, both end, whoever begins`, async () => {
      for (const isFirst of [true, false]) {
        const volumes = new KeyedLock();
        const runtimes = runtimesOf(state, () => volumes.run('v', () => Promise.resolve()));
        const copy = () =>
          volumes.run('v', async () => {
            await sleep(10);
            return runtimes.whilePaused(name, () => sleep(10, 'copied'), signal);
          });
        const [copied] = isFirst
          ? await Promise.all([copy(), work(runtimes)])
          : await Promise.all([work(runtimes), copy()].reverse());
        assert(copied === undefined || copied === 'copied');
      }
    });
  }

  it('waits for what wants no disk, and is made again once the other is over', async () => {
    const lock = new RuntimeLock();
    const done: string[] = [];
    const short = lock.run(name, async () => void done.push(await sleep(10, 'short')));
    const long = lock.runUnlessTaken(name, async () => void done.push(await sleep(10, 'copy')));
    const taking = lock.runTaking(name, async () => void done.push(await sleep(10, 'start')));
    assert.equal(await lock.runUnlessTaken(name, () => Promise.resolve('never')), undefined);
    assert.equal(await lock.runUnlessTaken('another', () => Promise.resolve('of another')), 'of another');
    await Promise.all([short, long, taking]);
    assert.deepEqual(done, ['short', 'copy', 'start']);
    await assert.rejects(lock.runTaking(name, () => Promise.reject(new Error('it fails'))));
    assert.equal(await lock.runUnlessTaken(name, () => Promise.resolve('again')), 'again');
  });
});
