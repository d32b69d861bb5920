/** Snapshots of disks of microVMs that run or are paused: of one moment, and the guest goes on whatever becomes of them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RuntimePlan } from '../../../../src/backend/drivers/driver';
import type { SnapshotStore } from '../../../../src/backend/drivers/contract/snapshots';
import { whileFrozen } from '../../../../src/backend/drivers/microvms/live/guest-freeze';
import type { Machine } from '../../../../src/backend/drivers/microvms/machines/machine';
import { failure } from '../../../support/errors';
import { fillDisk, mountSmallDisk, unmount } from '../../../support/files/small-disk';
import { skipWithout } from '../../../support/skip';
import { until } from '../../../support/wait';
import { Bench } from './driver-bench';

const ids = ['000000000001', '000000000002', '000000000003', '000000000004'] as const;
const job = () => ({ signal: new AbortController().signal, report: () => undefined });
/** Of the driver's own. */
const runningMachine = (bench: Bench, { name }: RuntimePlan): Promise<Machine> =>
  bench.driver['runtimes'].running(name, 'be asked');
const numberOf = (name: string): number => Number.parseInt(name, 10);

/** Writes one numbered file after the other, each on the disk before the next, until it finds its end. */
const writer = `
import os, time
os.makedirs("n", exist_ok=True)
count, longest, total = 0, 0, 0
while not os.path.exists("end"):
    count += 1
    began = time.monotonic()
    with open(f"n/{count}", "w") as file:
        file.write(str(count) * 2000)
        file.flush()
        os.fsync(file.fileno())
    took = (time.monotonic() - began) * 1000
    longest, total = max(longest, took), total + took
print(count, round(longest), round(total / count, 1))
`;

describe('snapshots of disks that microVMs have', function () {
  this.timeout(300_000);
  let bench: Bench;
  let plan: RuntimePlan;
  before(async () => {
    bench = await Bench.open();
    plan = await bench.running();
  });
  after(() => bench.dispose());

  const folder = () => join(bench.home, 'snapshots');
  const snapshots = (): SnapshotStore => {
    assert(bench.driver.volumes.snapshots !== undefined);
    return bench.driver.volumes.snapshots;
  };
  const shell = async (script: string): Promise<string> => (await bench.shell(plan.name, script)).stdout;
  const assertSound = (id: string): void => {
    execFileSync('e2fsck', ['-f', '-n', join(folder(), `${id}.ext4`)], { stdio: 'pipe' });
  };
  const assertNothingLeft = async (made: readonly string[]): Promise<void> => {
    assert.deepEqual(
      readdirSync(folder()),
      made.map((id) => `${id}.ext4`),
    );
    // What was saved of a paused one goes a little later.
    const left = () => readdirSync(bench.folderOf(plan)).filter((name) => /draft|view/.test(name));
    await until('nothing is left', () => left().length === 0, 10_000);
    assert.equal(await shell('echo on >on && sync on && cat on'), 'on\n', 'and the guest writes');
  };

  it('are of one moment, while the guest goes on writing and stays connected', async () => {
    await shell('head -c 48m /dev/urandom >blob; md5sum blob >sum; sync');
    const writing = bench.ssh(plan, '/.berth/bin/python3 -', writer);
    const known = async (): Promise<number> => Number(await shell('ls n 2>/dev/null | wc -l'));
    while ((await known()) < 20) {
      await sleep(100);
    }
    const before = await known();
    const began = performance.now();
    const facts = await snapshots().create(plan.homeVolume, ids[0], job());
    const tookMs = Math.round(performance.now() - began);
    const after = await known();
    await shell('touch end');
    const { code, stdout, stderr } = await writing;
    assert.equal(code, 0, stderr);
    console.log(
      `      ${JSON.stringify({ ...facts, tookMs, before, after })}; files, longest, mean ms: ${stdout}`,
    );
    assert.deepEqual([facts.notes, facts.isShared], [undefined, false]);
    assert(facts.heldMs > 0 && facts.heldMs < 5_000, String(facts.heldMs));
    assertSound(ids[0]);
    const files = await snapshots().files(ids[0]);
    const kept = (await files.list('/n')).entries.map(({ name }) => numberOf(name)).sort((a, b) => a - b);
    const whole = kept.length;
    assert.deepEqual(
      kept,
      Array.from({ length: whole }, (_, index) => index + 1),
      'all up to one',
    );
    assert(whole >= before && whole <= after, `${before} ${whole} ${after}`);
    for (const each of kept.slice(0, -1)) {
      assert.equal(await text(await files.read(`/n/${each}`)), String(each).repeat(2000));
    }
    assert((await text(await files.read('/sum'))).startsWith((await shell('cat sum')).slice(0, 32)));
    const held = (await snapshots().heldBytes(ids[0])) ?? 0;
    assert(held < 140 * 1024 ** 2, `only what is used: ${held}`);
    await assertNothingLeft([ids[0]]);
  });

  it('are given up without a trace when they are cancelled, or the machine is paused, which does not wait', async () => {
    const given = new AbortController();
    const cancelled = { signal: given.signal, report: () => given.abort() };
    await failure(snapshots().create(plan.homeVolume, ids[1], cancelled), 'cancelled');
    await assertNothingLeft([ids[0]]);
    let paused: Promise<void> | undefined;
    const pausing = { ...job(), report: () => void (paused ??= bench.driver.pause(plan.name)) };
    const error = await failure(snapshots().create(plan.homeVolume, ids[1], pausing), 'illegal_state');
    assert.match(error.message, /was not copied: it was paused or stopped meanwhile/);
    await paused;
    assert.equal((await bench.driver.inspect(plan.name))?.state, 'paused');
  });

  it('of one that is paused are as it stands, which goes on afterwards', async () => {
    const facts = await snapshots().create(plan.homeVolume, ids[1], job());
    assert.deepEqual([facts.heldMs, facts.notes], [0, undefined]);
    assertSound(ids[1]);
    const files = await snapshots().files(ids[1]);
    assert.equal(await text(await files.read('/on')), 'on\n');
    await bench.driver.resume(plan.name);
    await assertNothingLeft([ids[0], ids[1]]);
  });

  it('leave no guest frozen, whatever becomes of who asked', async () => {
    const machine = await runningMachine(bench, plan);
    const { signal } = new AbortController();
    const lateBy = async (target: string): Promise<string> => {
      const late = { signal, limitSeconds: 1 };
      const { problem = '' } = await whileFrozen(machine, target, late, () => sleep(1_500));
      return problem;
    };
    assert.equal(await lateBy('/home/workspace'), 'it had let go by itself before');
    assert.equal(await lateBy('/'), 'it had let go by itself before');
    // As when the engine is killed.
    const cut = await whileFrozen(machine, '/home/workspace', { signal }, () => {
      machine.ssh.close();
      return Promise.resolve();
    });
    assert.match(cut.problem ?? '', /the connection to it ended/);
    // Neither does what holds it by its process.
    const killed = await whileFrozen(machine, '/home/workspace', { signal, limitSeconds: 2 }, async () => {
      await bench.shell(plan.name, 'pkill -o -KILL -f isAsked', 'root');
    });
    assert.match(killed.problem ?? '', /the connection to it ended/);
    await assertNothingLeft([ids[0], ids[1]]);
    const none = await whileFrozen(machine, '/nowhere', { signal }, () => Promise.resolve('all the same'));
    assert.deepEqual([none.result, none.heldMs], ['all the same', 0]);
    assert.match(none.problem ?? '', /No such file or directory/);
  });

  it('say that a disk of this machine is full, and the guest goes on', async function () {
    if (!mountSmallDisk(folder(), '70m', 0o700)) {
      skipWithout(this, 'the right to mount a small disk');
    }
    try {
      const full = { ...job(), report: () => fillDisk(folder()) };
      const filling = setTimeout(() => fillDisk(folder()), 400);
      const error = await failure(snapshots().create(plan.homeVolume, ids[2], full), 'no_space');
      clearTimeout(filling);
      assert.match(error.message, /^There is no room for a copy of the disk home at .*snapshots\.$/);
      await shell('rm -f blob && sync');
      assert.deepEqual(readdirSync(folder()), ['filler']);
    } finally {
      unmount(folder());
    }
    await assertNothingLeft([ids[0], ids[1]]);
  });

  it('end with QEMU, and leave nothing', async () => {
    await shell('head -c 48m /dev/urandom >blob; sync');
    const killing = { ...job(), report: () => void process.kill(bench.pidOf(plan), 'SIGKILL') };
    const error = await failure(snapshots().create(plan.homeVolume, ids[3], killing), 'runtime_unavailable');
    assert.match(error.message, /ended while its disk was copied/);
    await bench.started(plan);
    await assertNothingLeft([ids[0], ids[1]]);
  });
});
