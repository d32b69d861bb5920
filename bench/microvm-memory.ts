/** What idle microVMs take, alone and ten at once, against QEMU started by hand. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isQuick, main, time, type Row, type RunningEngine } from './lib';
import { BareQemu, blueprintOf, type Blueprint } from './support/bare-qemu';
import {
  createMicrovm,
  deleteMicrovm,
  machinesOf,
  memoryMiB,
  nameOf,
  pidOf,
  untilSettled,
  withMicrovms,
} from './support/microvms';
import { memoryOf, processorUse } from './support/processes';

const count = isQuick ? 3 : 10;
const idleMs = isQuick ? 5_000 : 10_000;
const watchedMs = isQuick ? 3_000 : 8_000;
const usedMiB = 96;
/** QEMU hears of free pages a few seconds after they are. */
const reportMs = 8_000;

const numbers = Array.from({ length: count }, (_, index) => index);

async function idle(pid: number): Promise<{ memory: number; resident: number; use: number }> {
  await sleep(idleMs);
  const use = await processorUse(pid, watchedMs);
  const { proportionalMiB, residentMiB } = memoryOf(pid);
  return { memory: proportionalMiB, resident: residentMiB, use };
}

/** What a guest takes after it has used memory and has given it back. */
async function afterUse(
  { client, home }: RunningEngine,
  name: string,
): Promise<{ full: number; later: number }> {
  const run = async (script: string) => {
    const argv = ['sh', '-c', script];
    const { exitCode, stderr } = await client.call('workspaces.exec', { params: { name }, body: { argv } });
    if (exitCode !== 0) {
      throw new Error(`"${script}" ended with ${exitCode}: ${Buffer.from(stderr, 'base64').toString()}`);
    }
  };
  await run(`head -c ${usedMiB * 1024 ** 2} /dev/zero >/dev/shm/used`);
  const full = memoryOf(pidOf(home, name)).proportionalMiB;
  await run('rm /dev/shm/used');
  await sleep(reportMs);
  return { full, later: memoryOf(pidOf(home, name)).proportionalMiB };
}

async function single(engine: RunningEngine, blueprint: Blueprint): Promise<Row[]> {
  const name = nameOf('single');
  await createMicrovm(engine, name);
  const bare = await BareQemu.prepare(blueprint);
  try {
    await bare.makeDisks();
    await bare.boot();
    const [ours, theirs] = await Promise.all([idle(pidOf(engine.home, name)), idle(bare.pid)]);
    const { full, later } = await afterUse(engine, name);
    const note = `idle for ${idleMs / 1000} s`;
    const what = 'bare QEMU, booted';
    return [
      {
        ...{ what: `${memoryMiB} MiB guest: memory of QEMU (PSS)`, unit: 'MiB', value: ours.memory },
        ...{ baseline: { what, value: theirs.memory }, note: `${note}; RSS ${ours.resident.toFixed(0)} MiB` },
      },
      {
        ...{ what: `${memoryMiB} MiB guest: share of a processor`, unit: 'ms/s', value: ours.use },
        ...{ baseline: { what, value: theirs.use }, note },
      },
      {
        ...{ what: `the same after it has used ${usedMiB} MiB and freed them`, unit: 'MiB', value: later },
        ...{ baseline: { what: 'while it used them', value: full }, note: `${reportMs / 1000} s later` },
      },
    ];
  } finally {
    await bare.remove();
    await deleteMicrovm(engine, name);
  }
}

/** All at once, by hand. */
async function bareOnes(blueprint: Blueprint): Promise<{ ready: number; memory: number }> {
  const machines = await Promise.all(numbers.map(() => BareQemu.prepare(blueprint)));
  try {
    const ready = await time(() =>
      Promise.all(
        machines.map(async (machine) => {
          await machine.makeDisks();
          await machine.boot();
        }),
      ),
    );
    await sleep(idleMs);
    const memory = total(machines.map(({ pid }) => pid));
    return { ready, memory };
  } finally {
    await Promise.all(machines.map((machine) => machine.remove()));
  }
}

function total(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + memoryOf(pid).proportionalMiB, 0);
}

async function several(engine: RunningEngine, blueprint: Blueprint): Promise<Row[]> {
  const theirs = await bareOnes(blueprint);
  const names = numbers.map((number) => nameOf(`of-many-${number}`));
  const ready = await time(() => Promise.all(names.map((name) => createMicrovm(engine, name))));
  await sleep(idleMs);
  const memory = total(names.map((name) => pidOf(engine.home, name)));
  const stopped = await time(() => Promise.all(names.map((name) => deleteMicrovm(engine, name))));
  const left = machinesOf(engine.home).length;
  const baseline = (value: number) => ({ what: `${count} bare QEMUs at once`, value });
  return [
    {
      ...{ what: `${count} at once: create → SSH answers on all, from a template`, unit: 'ms', value: ready },
      ...{ baseline: baseline(theirs.ready), note: 'once' },
    },
    {
      ...{ what: `${count} at once: memory of all (PSS)`, unit: 'MiB', value: memory },
      ...{ baseline: baseline(theirs.memory), note: `idle for ${idleMs / 1000} s` },
    },
    { what: `${count} at once: deleted in order`, unit: 'ms', value: stopped, note: 'once' },
    {
      ...{ what: `${count} at once: QEMUs that are left then`, unit: 'left', value: left },
      budget: { atMost: 0, of: 'value' },
    },
  ];
}

function measure(): Promise<Row[]> {
  return withMicrovms('shared', async (engine) => {
    const plan = nameOf('plan');
    await createMicrovm(engine, plan);
    const blueprint = await blueprintOf(engine, plan);
    await deleteMicrovm(engine, plan);
    await untilSettled(engine.home);
    return [...(await single(engine, blueprint)), ...(await several(engine, blueprint))];
  });
}

main('MicroVMs: memory', measure);
