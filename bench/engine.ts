/** What an engine costs while nothing happens, and how fast it is there. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventStream } from '../src/client/events';
import { untilGone } from '../src/client/launch';
import {
  isQuick,
  main,
  median,
  start,
  time,
  withEngine,
  withHome,
  type Row,
  type RunningEngine,
} from './lib';
import { prefix } from './support/docker';

/** What an engine has at its start is collected, and given back, by then. */
const settleMs = 45_000;
const watchedMs = 10_000;
const image = 'workspace:latest';
const creates = isQuick ? 40 : 500;
const atOnce = 4;
/** An engine that nobody asks anything gives memory back by then. */
const restMs = 60_000;
/** Code is kept a while after the start, when nobody waits. */
const keptMs = 5_000;

/** Resident memory in MiB. */
function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** How often the threads of a process have gone to sleep of their own: once after each time they were woken. */
function wakeUps(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((task) => readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8'))
    .map((status) => Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1]))
    .reduce((sum, switches) => sum + switches, 0);
}

async function wakeUpsPerSecond(pid: number): Promise<number> {
  const before = wakeUps(pid);
  await sleep(watchedMs);
  return (wakeUps(pid) - before) / (watchedMs / 1000);
}

/** A Node that only waits: what no program on it can go below. */
async function idleNode(): Promise<{ wakes: number; memory: number }> {
  const child = spawn(process.execPath, ['-e', 'require("node:net").createServer().listen(0)'], {
    stdio: 'ignore',
  });
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  try {
    await sleep(settleMs);
    return { wakes: await wakeUpsPerSecond(pid), memory: residentMiB(pid) };
  } finally {
    child.kill('SIGKILL');
  }
}

async function idleEngine(): Promise<{ wakes: number; memory: number }> {
  return withEngine(async ({ client, pid }) => {
    const events = new EventStream(() => Promise.resolve(client.transport), {
      event: () => undefined,
      connected: () => undefined,
      disconnected: () => undefined,
    });
    try {
      await client.call('workspaces.list', {});
      await client.call('volumes.list', {});
      await sleep(settleMs);
      return { wakes: await wakeUpsPerSecond(pid), memory: residentMiB(pid) };
    } finally {
      events.dispose();
    }
  });
}

async function createAndDelete({ client }: RunningEngine, name: string): Promise<void> {
  const query = { wait: 60_000 };
  await client.waitFor(await client.call('workspaces.create', { body: { name, image }, query }));
  await client.waitFor(await client.call('workspaces.delete', { params: { name }, query }));
}

/** What an engine that has made and deleted so many workspaces keeps. */
async function memoryAfterCreates(): Promise<number> {
  return withEngine(async (engine) => {
    let next = 0;
    const work = async () => {
      while (next < creates) {
        next += 1;
        await createAndDelete(engine, `${prefix}-${next}`);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    await sleep(restMs);
    return residentMiB(engine.pid);
  });
}

/** From the call of a client to the first answer of an engine that did not run; it runs for so long afterwards. */
async function startTime(home: string, runMs = 0): Promise<number> {
  const begun = performance.now();
  const client = await start(home);
  const took = performance.now() - begun;
  await sleep(runMs);
  await client.call('engine.stop', { body: {} });
  await untilGone(client);
  client.dispose();
  return took;
}

/** In new state directories, and in one that an engine has run in before. */
async function startTimes(rounds: number): Promise<{ first: number; later: number }> {
  const times = { first: [] as number[], later: [] as number[] };
  await withHome(async (known) => {
    await startTime(known, keptMs);
    for (let round = 0; round < rounds; round += 1) {
      times.first.push(await withHome((home) => startTime(home)));
      times.later.push(await startTime(known));
    }
  });
  return { first: median(times.first), later: median(times.later) };
}

async function nodeStart(rounds: number): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    times.push(await time(() => once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'close')));
  }
  return median(times);
}

async function measure(): Promise<Row[]> {
  const bare = await idleNode();
  const engine = await idleEngine();
  const starts = await startTimes(5);
  const node = { what: '`node -e 0`', value: await nodeStart(5) };
  return [
    {
      what: 'engine idle, one client: wake-ups of all threads',
      value: engine.wakes,
      unit: '/s',
      budget: { atMost: 0.5, of: 'value' },
      note: `over ${watchedMs / 1000} s; a Node that only listens: ${bare.wakes.toFixed(1)} /s`,
    },
    {
      what: 'engine idle: resident memory',
      value: engine.memory,
      unit: 'MiB',
      baseline: { what: 'Node that only listens', value: bare.memory },
      budget: { atMost: 90, of: 'value' },
    },
    {
      what: `engine: resident memory after ${creates} creates and deletes`,
      value: await memoryAfterCreates(),
      unit: 'MiB',
      baseline: { what: 'Node that only listens', value: bare.memory },
      budget: { atMost: 90, of: 'value' },
      note: `${restMs / 1000} s after the last one`,
    },
    {
      what: 'engine start → first answer',
      value: starts.later,
      unit: 'ms',
      baseline: node,
      budget: { atMost: 250, of: 'value' },
      note: 'median of 5',
    },
    {
      what: 'engine start → first answer, the first in a state directory',
      value: starts.first,
      unit: 'ms',
      baseline: node,
      note: 'median of 5; the program is copied',
    },
  ];
}

main('Engine', measure);
