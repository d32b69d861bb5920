import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RuntimePlan } from '../../../../src/backend/drivers/driver';
import type { Launch } from '../../../../src/backend/drivers/microvms/runtimes/runtime-record';
import { templateKey } from '../../../../src/backend/drivers/microvms/machines/templates';
import { until } from '../../../support/wait';
import { microvmCache, machinesOf } from '../../../support/runtimes/microvms';
import { Bench, never } from './driver-bench';
import { itInSoak } from '../../../support/soak';

describe('microVMs when things go wrong', function () {
  this.timeout(300_000);
  let bench: Bench;
  let plan: RuntimePlan;
  before(async () => {
    bench = await Bench.open();
    // Of no other test: its template is damaged here.
    plan = await bench.running({ limits: { memoryMiB: 260 + (process.pid % 50) } });
    await bench.driver.templates.settled();
  });
  after(async () => {
    const state = await templateState();
    await Promise.all([state, `${state}.sum`].map((path) => rm(path, { force: true })));
    await bench.dispose();
  });

  let template = '';
  const templateState = async (): Promise<string> => {
    if (template === '') {
      const record = await readFile(join(bench.folderOf(plan), 'runtime.json'), 'utf8');
      const { launch } = JSON.parse(record) as { launch: Launch };
      template = join(microvmCache, 'templates', `${templateKey(launch)}.state`);
    }
    return template;
  };

  it('notices that QEMU was killed, and starts it again with all that was synced', async () => {
    await bench.shell(plan.name, 'echo kept >kept && sync');
    bench.events.length = 0;
    process.kill(bench.pidOf(plan), 'SIGKILL');
    await until(
      'its end is told',
      () => bench.events.some((event) => event.type === 'runtime' && event.what === 'stopped'),
      30_000,
    );
    const info = await bench.driver.inspect(plan.name);
    assert.deepEqual([info?.state, info?.exitCode], ['stopped', 137]);
    await assert.rejects(bench.exec(plan.name, { argv: ['true'] }), { code: 'illegal_state' });
    await bench.started(plan);
    assert.equal((await bench.shell(plan.name, 'cat kept')).stdout, 'kept\n');
  });

  it('fails a command that runs when QEMU is killed', async () => {
    const session = await bench.driver.exec(plan.name, { argv: ['sleep', '1000'], user: 'workspace' });
    session.stdout.resume();
    session.stderr.resume();
    process.kill(bench.pidOf(plan), 'SIGKILL');
    await assert.rejects(session.exit, { code: 'illegal_state', message: /ended while the command ran/ });
    await until(
      'it is stopped',
      async () => (await bench.driver.inspect(plan.name))?.state === 'stopped',
      30_000,
    );
  });

  it('starts from the template, as somebody else than the last time, with disks of their real size', async () => {
    assert(existsSync(await templateState()), 'there is a template after the first start');
    await bench.started(plan);
    const ask = (name: string) =>
      bench.shell(
        name,
        'echo "$(cat /etc/machine-id)"; date +%s; blockdev --getsize64 "$(findmnt -nv -o SOURCE /home/workspace)"',
        'root',
      );
    const said = await ask(plan.name);
    const other = await bench.running({ limits: plan.limits });
    const [machineId, clock, size] = said.stdout.split('\n');
    const [otherMachineId] = (await ask(other.name)).stdout.split('\n');
    await bench.driver.remove(other.name);
    assert.notEqual(machineId, otherMachineId);
    assert(Math.abs(Number(clock) - Date.now() / 1000) < 60);
    assert.equal(Number(size), (await stat(join(bench.home, 'volumes', `${plan.homeVolume}.ext4`))).size);
    assert.deepEqual(bench.warnings, []);
  });

  it('never runs twice, whoever starts it at once', async () => {
    await bench.driver.stop(plan.name, 30_000);
    await Promise.all([bench.driver.start(plan.name), bench.driver.start(plan.name)]);
    assert.deepEqual(await machinesOf(bench.home), [bench.pidOf(plan)]);
    await bench.driver.configure(plan.name, bench.startPlan(), never());
  });

  it('starts over its own base when the cache was cleared, and refuses another one before QEMU runs', async () => {
    await bench.shell(plan.name, 'echo installed >/opt/tool; sync', 'root');
    await bench.driver.stop(plan.name, 30_000);
    const cached = join(microvmCache, 'images', 'rootfs');
    await rename(cached, `${cached}.away`);
    try {
      await bench.started(plan);
      const seen = await bench.shell(plan.name, 'cat /opt/tool; ls /usr/share/doc >/dev/null && echo whole');
      assert.equal(seen.stdout, 'installed\nwhole\n');
      await bench.driver.stop(plan.name, 30_000);
      const base = join(bench.folderOf(plan), 'base.ext4');
      await rename(base, `${base}.away`);
      await assert.rejects(bench.driver.start(plan.name), { code: 'gone', message: /base\.ext4/ });
      await writeFile(base, Buffer.alloc(1024 * 1024));
      await assert.rejects(bench.driver.start(plan.name), { code: 'illegal_state', message: /base\.ext4/ });
      assert.deepEqual(await machinesOf(bench.home), []);
      await rename(`${base}.away`, base);
    } finally {
      await rename(`${cached}.away`, cached);
    }
    await bench.started(plan);
  });

  it('ends one whose start was cut off by the end of the engine, and starts it anew', async () => {
    const pid = bench.pidOf(plan);
    await bench.restartEngine(async () => {
      const path = join(bench.folderOf(plan), 'runtime.json');
      const record = JSON.parse(await readFile(path, 'utf8')) as object;
      await writeFile(path, JSON.stringify({ ...record, starting: true }));
    });
    assert.equal((await bench.driver.inspect(plan.name))?.state, 'stopped');
    assert.deepEqual(await machinesOf(bench.home), []);
    await bench.started(plan);
    assert.notEqual(bench.pidOf(plan), pid);
    assert.equal((await bench.shell(plan.name, 'cat kept')).stdout, 'kept\n');
  });

  it('goes on from disk when QEMU is gone while it is paused', async () => {
    await bench.shell(plan.name, 'nohup sleep 4242 >/dev/null 2>&1 & echo in memory >/dev/shm/kept');
    await bench.driver.pause(plan.name);
    await until('it is saved', () => existsSync(join(bench.folderOf(plan), 'machine.state')), 60_000, 50);
    await bench.restartEngine(() => void process.kill(bench.pidOf(plan), 'SIGKILL'));
    assert.equal((await bench.driver.inspect(plan.name))?.state, 'paused');
    const { startedAt } = (await bench.driver.inspect(plan.name)) ?? {};
    await bench.driver.resume(plan.name);
    assert.equal(existsSync(join(bench.folderOf(plan), 'machine.state')), false);
    const ran = await bench.shell(
      plan.name,
      'cat /dev/shm/kept; ps -eo args | grep -c "[s]leep 4242"; date +%s',
    );
    const [kept, sleeps, clock] = ran.stdout.split('\n');
    assert.deepEqual([kept, sleeps], ['in memory', '1']);
    assert(Math.abs(Number(clock) - Date.now() / 1000) < 60);
    assert.equal((await bench.driver.inspect(plan.name))?.startedAt, startedAt);
    assert.equal((await bench.ssh(plan, 'echo yes')).stdout, 'yes\n');
  });

  it('stops from there too, in order', async () => {
    await bench.driver.pause(plan.name);
    await until('it is saved', () => existsSync(join(bench.folderOf(plan), 'machine.state')), 60_000, 50);
    process.kill(bench.pidOf(plan), 'SIGKILL');
    await until('QEMU is gone', async () => (await machinesOf(bench.home)).length === 0, 30_000);
    assert.deepEqual(await bench.driver.stop(plan.name, 30_000), { killed: false });
    assert.equal((await bench.driver.inspect(plan.name))?.state, 'stopped');
    assert.equal(existsSync(join(bench.folderOf(plan), 'machine.state')), false);
  });

  it('boots when its template is damaged, and makes a new one', async () => {
    const state = await templateState();
    await truncate(state, Math.floor((await stat(state)).size / 2));
    bench.warnings.length = 0;
    await bench.started(plan);
    assert.equal((await bench.shell(plan.name, 'cat kept')).stdout, 'kept\n');
    assert(bench.warnings.some((warning) => warning.startsWith('a template is damaged')));
    await bench.driver.templates.settled();
    assert(existsSync(state));
  });

  itInSoak(
    'boots when the guest of its template does not live, and does not try that one again',
    async () => {
      await bench.driver.stop(plan.name, 30_000);
      const state = await templateState();
      const content = await readFile(state);
      // Pages of the guest's memory, while the whole still reads well.
      content.fill(0, Math.floor(content.length / 3), Math.floor((content.length * 2) / 3));
      await writeFile(state, content);
      await writeFile(`${state}.sum`, createHash('sha256').update(content).digest('hex'));
      bench.warnings.length = 0;
      await bench.started(plan);
      assert(
        bench.warnings.some((warning) => warning.startsWith('a template did not start')),
        bench.warnings.join('\n'),
      );
      assert.equal((await bench.ssh(plan, 'cat kept')).stdout, 'kept\n');
      await bench.driver.templates.settled();
    },
  );

  it('is killed when it does not heed the power button, and says so', async () => {
    assert.deepEqual(await bench.driver.stop(plan.name, 1), { killed: true });
    const info = await bench.driver.inspect(plan.name);
    assert.deepEqual([info?.state, info?.exitCode], ['stopped', 137]);
    assert.deepEqual(await machinesOf(bench.home), []);
  });

  it('refuses a port that is taken, and can be started later', async () => {
    const { createServer } = await import('node:net');
    const server = createServer().listen(plan.sshPort, '127.0.0.1');
    try {
      await assert.rejects(bench.driver.start(plan.name), { code: 'in_use', message: /port/ });
      assert.equal((await bench.driver.inspect(plan.name))?.state, 'stopped');
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('ends a start within a second when that is cancelled, template or not, and starts later', async () => {
    for (const plans of ['from a template', 'by a boot']) {
      const from = await templateState();
      await (plans === 'by a boot' ? rename(from, `${from}.away`) : undefined);
      const cancel = new AbortController();
      const starting = bench.driver.start(plan.name, { signal: cancel.signal });
      await until('QEMU runs', async () => (await machinesOf(bench.home)).length > 0, 30_000, 5);
      const began = performance.now();
      cancel.abort();
      await assert.rejects(starting, { code: 'cancelled' });
      assert(performance.now() - began < 1_000, plans);
      assert.deepEqual(await machinesOf(bench.home), []);
      assert.equal((await bench.driver.inspect(plan.name))?.state, 'stopped');
      await (plans === 'by a boot' ? rename(`${from}.away`, from) : undefined);
    }
    assert(existsSync(await templateState()), 'it is no fault of the template');
  });

  it('leaves nothing of a create that failed', async () => {
    const failing = await bench.plan({ image: 'missing:image' });
    await assert.rejects(bench.driver.create(failing, never()));
    assert.equal(await bench.driver.inspect(failing.name), undefined);
    assert.equal(existsSync(bench.folderOf(failing)), false);
    const aborted = new AbortController();
    aborted.abort();
    const cancelled = await bench.plan();
    await assert.rejects(bench.driver.create(cancelled, aborted.signal), { code: 'cancelled' });
    assert.equal(await bench.driver.volumes.inspect(cancelled.homeVolume), undefined);
    await assert.rejects(bench.driver.create(plan, never()), { code: 'exists' });
    assert.equal((await bench.driver.inspect(plan.name))?.state, 'stopped');
  });

  it('takes changed limits at the next start, and says what can not be changed live', async () => {
    assert.deepEqual(await bench.driver.setLimits(plan.name, { memoryMiB: 320, cpus: 2 }), {
      needsRebuild: [],
      needsRestart: [],
    });
    await bench.started(plan);
    assert.equal((await bench.shell(plan.name, 'nproc')).stdout, '2\n');
    const total = async (): Promise<number> =>
      Number((await bench.shell(plan.name, "awk '/MemTotal/ {print $2}' /proc/meminfo")).stdout);
    const before = await total();
    assert(before < 320 * 1024);
    assert.deepEqual(await bench.driver.setLimits(plan.name, { memoryMiB: 256, cpus: 1 }), {
      needsRebuild: [],
      needsRestart: ['cpus'],
    });
    await until('the balloon has grown', async () => (await total()) < before - 32 * 1024, 60_000, 200);
    assert.deepEqual(await bench.driver.setLimits(plan.name, { memoryMiB: 1024 }), {
      needsRebuild: [],
      needsRestart: ['cpus', 'memoryMiB'],
    });
  });
});
