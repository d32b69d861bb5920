/** Paused microVMs, and those that stand still: what happens to memory and files when something goes wrong then. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RuntimePlan } from '../../../../src/backend/drivers/driver';
import { settledStamps } from '../../../../src/backend/drivers/microvms/machines/disk-stamps';
import { machinesOf } from '../../../support/runtimes/microvms';
import { mountSmallDisk, resizeSmallDisk, unmount } from '../../../support/files/small-disk';
import { runProgram } from '../../../support/programs';
import { until } from '../../../support/wait';
import { Bench } from './driver-bench';
import { skipWithout } from '../../../support/skip';

const room = '110m';

describe('microVMs that stand still', function () {
  this.timeout(300_000);
  let bench: Bench;
  let plan: RuntimePlan;
  let isSmall = false;
  const volumes = () => join(bench.home, 'volumes');
  before(async () => {
    bench = await Bench.open();
    isSmall = mountSmallDisk(volumes(), room, 0o700);
    plan = await bench.running();
  });
  after(async () => {
    for (const { name } of await bench.driver.list()) {
      await bench.driver.remove(name);
    }
    if (isSmall) {
      unmount(volumes());
    }
    await bench.dispose();
  });

  const state = () => join(bench.folderOf(plan), 'machine.state');
  const stateOf = async () => (await bench.driver.inspect(plan.name))?.state;
  const detailOf = async () => (await bench.driver.inspect(plan.name))?.detail ?? '';
  /** A template may be made meanwhile, by a machine of its own. */
  const kill = async () => {
    const pid = bench.pidOf(plan);
    process.kill(pid, 'SIGKILL');
    await until('QEMU is gone', async () => !(await machinesOf(bench.home)).includes(pid), 30_000);
  };
  /** Paused, its memory on disk, and QEMU gone. */
  const putAway = async () => {
    await bench.driver.pause(plan.name);
    await until('it is saved', () => existsSync(state()), 60_000, 50);
    await kill();
  };

  it('lose no file when QEMU is killed as soon as they are paused, and say what was lost', async () => {
    const script = 'mkdir k; for i in $(seq 20); do head -c 5000 /dev/urandom >k/$i; done; cat k/* | md5sum';
    const { stdout } = await bench.shell(plan.name, script);
    await bench.driver.pause(plan.name);
    await kill();
    assert.equal(await stateOf(), 'stopped');
    assert.match(await detailOf(), /before its memory was saved/);
    await bench.started(plan);
    assert.equal((await bench.shell(plan.name, 'cat k/* | md5sum')).stdout, stdout);
    assert.equal(await detailOf(), '');
  });

  it('say that their memory is being saved until it is, and tell when it is', async () => {
    bench.events.length = 0;
    await bench.driver.pause(plan.name);
    if (!existsSync(state())) {
      assert.match(await detailOf(), /being saved/);
    }
    await until('it is saved', async () => existsSync(state()) && (await detailOf()) === '', 60_000, 20);
    assert(bench.events.filter((event) => event.type === 'runtime' && event.what === 'paused').length >= 2);
    // QEMU still has its memory, but has let go of its disks.
    const disk = join(volumes(), `${plan.homeVolume}.ext4`);
    const { atime, mtime } = await stat(disk);
    await utimes(disk, atime, new Date(0));
    await assert.rejects(bench.driver.resume(plan.name), {
      code: 'illegal_state',
      message: /changed.*\.ext4/,
    });
    await utimes(disk, atime, mtime);
    await bench.driver.resume(plan.name);
  });

  it('stay paused when they can not go on, say why, and go on later with their memory', async () => {
    await bench.shell(plan.name, 'echo precious >/dev/shm/precious');
    await putAway();
    const holder = await holdDisk(join(bench.folderOf(plan), 'rootfs.qcow2'), join(bench.home, 'nbd.sock'));
    try {
      await assert.rejects(bench.driver.resume(plan.name), {
        code: 'in_use',
        message: /rootfs\.qcow2|its disks/,
      });
    } finally {
      holder.kill();
      await once(holder, 'exit');
    }
    assert.deepEqual(
      [await stateOf(), existsSync(state()), await machinesOf(bench.home)],
      ['paused', true, []],
    );
    const damage = await flipByte(state());
    await assert.rejects(bench.driver.resume(plan.name), { code: 'illegal_state', message: /damaged/ });
    assert.equal(await stateOf(), 'paused');
    await damage.undo();
    const record = join(bench.folderOf(plan), 'runtime.json');
    const known = await readFile(record, 'utf8');
    // As if the kit had been built anew in the same place.
    await writeFile(record, known.replace(/("kit": *)"\w+"/, '$1"another"'));
    await assert.rejects(bench.driver.resume(plan.name), {
      code: 'gone',
      message: /The kernel that .* was started with is gone/,
    });
    assert.equal(await stateOf(), 'paused');
    await writeFile(record, known);
    const disk = join(volumes(), `${plan.homeVolume}.ext4`);
    const { atime, mtime } = await stat(disk);
    await utimes(disk, atime, new Date());
    await assert.rejects(bench.driver.resume(plan.name), {
      code: 'illegal_state',
      message: /changed.*\.ext4/,
    });
    assert.equal(await stateOf(), 'paused');
    await utimes(disk, atime, mtime);
    await bench.driver.resume(plan.name);
    assert.equal((await bench.shell(plan.name, 'cat /dev/shm/precious')).stdout, 'precious\n');
    assert.equal(existsSync(state()), false);
    // In the journal alone: nobody else may have replayed it while the guest had the disk mounted.
    const script = 'echo kept >kept && sync kept .';
    assert.equal((await bench.shell(plan.name, script)).code, 0);
    await kill();
    await bench.started(plan);
    assert.equal((await bench.shell(plan.name, 'cat kept')).stdout, 'kept\n');
  });

  it('never go back to a state that their disks are ahead of', async () => {
    const record = join(bench.folderOf(plan), 'runtime.json');
    const disk = join(volumes(), `${plan.homeVolume}.ext4`);
    const note = async () => {
      const known = JSON.parse(await readFile(record, 'utf8')) as object;
      const disksBefore = await settledStamps([disk, join(bench.folderOf(plan), 'rootfs.qcow2')]);
      await writeFile(record, JSON.stringify({ ...known, paused: true, resuming: true, disksBefore }));
    };
    const resuming = async () => {
      await note();
      await writeFile(state(), 'what was saved');
    };
    // The engine was killed when the guest had gone on.
    await bench.restartEngine(resuming);
    assert.equal((await bench.driver.list())[0]?.state, 'running');
    assert.equal(existsSync(state()), false);
    // QEMU ended as well: the guest has written since, or has not.
    await bench.restartEngine(async () => {
      await resuming();
      await bench.ssh(plan, 'echo more >more; sync');
      await kill();
    });
    assert.equal((await bench.driver.list())[0]?.state, 'stopped');
    await bench.started(plan);
    await putAway();
    await bench.restartEngine(note);
    assert.equal((await bench.driver.list())[0]?.state, 'paused');
    await bench.driver.resume(plan.name);
    assert.equal((await bench.shell(plan.name, 'echo on')).stdout, 'on\n');
  });

  it('have the time of this machine again when an engine takes them over', async () => {
    await bench.shell(plan.name, 'date -s 2001-01-01', 'root');
    await bench.restartEngine();
    await bench.driver.list();
    const guestMs = async () => Number((await bench.shell(plan.name, 'date +%s%3N')).stdout);
    await until('its clock is right', async () => Math.abs((await guestMs()) - Date.now()) < 5_000, 30_000);
  });

  it('give the room of removed files back', async () => {
    const disk = join(volumes(), `${plan.homeVolume}.ext4`);
    const usedMiB = async () => ((await stat(disk)).blocks * 512) / 1024 ** 2;
    const before = await usedMiB();
    await bench.shell(plan.name, 'head -c 30000000 /dev/zero >big; sync');
    assert((await usedMiB()) > before + 25);
    await bench.shell(plan.name, 'rm big; sync');
    await until('the room is given back', async () => (await usedMiB()) < before + 5, 60_000, 100);
  });

  it('say at once that they can not go on as a disk is full, and go on with their memory when there is room', async function () {
    if (!isSmall) {
      skipWithout(this, 'a small disk is mounted by root alone');
    }
    // It writes as soon as it goes on, and more than there was room for before.
    const script =
      'echo mem >/dev/shm/mem; echo $$ >/dev/shm/pid; while :; do head -c 1000000 /dev/urandom >>more; sync more; done';
    const writer = await bench.driver.exec(plan.name, { argv: ['sh', '-c', script], user: 'workspace' });
    [writer.stdout, writer.stderr].forEach((stream) => stream.resume());
    writer.exit.catch(() => undefined);
    await putAway();
    const filler = join(volumes(), 'filler');
    await runProgram('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k']);
    await runProgram('dd', ['if=/dev/zero', `of=${filler}.end`, 'bs=4k']);
    const from = performance.now();
    await assert.rejects(bench.driver.resume(plan.name), {
      code: 'no_space',
      message: /(stays paused|stands still): no room is left for its disk home/,
    });
    assert(performance.now() - from < 20_000, 'its guest says so as soon as it has tried to write');
    await Promise.all([filler, `${filler}.end`].map((path) => rm(path)));
    await bench.driver.resume(plan.name);
    assert.equal(
      (await bench.shell(plan.name, 'cat /dev/shm/mem; kill $(cat /dev/shm/pid); rm more; sync')).stdout,
      'mem\n',
    );
  });

  it('name the full disk, run nothing meanwhile, and go on by themselves when there is room', async function () {
    if (!isSmall) {
      skipWithout(this, 'a small disk is mounted by root alone');
    }
    const files = await bench.driver.volumes.files(plan.homeVolume);
    await files.list('/');
    const writing = await bench.driver.exec(plan.name, {
      argv: ['sh', '-c', 'head -c 200000000 /dev/zero >big; sync; echo done'],
      user: 'workspace',
    });
    let said = '';
    writing.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    writing.stderr.resume();
    const haltOf = async () => (await bench.driver.inspect(plan.name))?.halt;
    await until('it stands still', async () => (await haltOf()) !== undefined, 120_000, 200);
    const halt = (await haltOf()) ?? assert.fail();
    assert.equal(halt.code, 'no_space');
    assert(halt.message.includes(join(volumes(), `${plan.homeVolume}.ext4`)), halt.message);
    assert.match(halt.hint ?? '', /Free some space.*berth resume/);
    await assert.rejects(bench.exec(plan.name, { argv: ['true'] }), { code: 'no_space' });
    await assert.rejects(files.list('/'), { code: 'no_space' });
    await assert.rejects(bench.driver.resume(plan.name), { code: 'no_space' });
    await assert.rejects(bench.driver.pause(plan.name), { code: 'no_space' });
    await bench.restartEngine();
    assert.equal((await bench.driver.list())[0]?.halt?.code, 'no_space');
    assert.equal(said, '');
    assert(resizeSmallDisk(volumes(), '600m'));
    await until(
      'it goes on',
      async () => (await bench.driver.inspect(plan.name))?.state === 'running',
      60_000,
      100,
    );
    assert.equal((await bench.shell(plan.name, 'sync && rm big && echo on')).stdout, 'on\n');
  });
});

/** Another program that writes to the disk. */
async function holdDisk(disk: string, socket: string): Promise<ChildProcess> {
  const holder = spawn('qemu-nbd', ['-t', '-f', 'qcow2', '-k', socket, disk], { stdio: 'ignore' });
  await until('the disk is held', () => existsSync(socket), 10_000, 20);
  return holder;
}

async function flipByte(path: string): Promise<{ undo: () => Promise<void> }> {
  const flip = async () => {
    const file = await open(path, 'r+');
    try {
      const { size } = await file.stat();
      const byte = Buffer.alloc(1);
      await file.read(byte, 0, 1, Math.floor(size / 2));
      byte.writeUInt8(byte.readUInt8(0) ^ 0xff, 0);
      await file.write(byte, 0, 1, Math.floor(size / 2));
    } finally {
      await file.close();
    }
  };
  await flip();
  return { undo: flip };
}
