/** What an engine costs while nothing happens, and how fast it is there. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventStream } from '../src/client/events';
import { untilGone } from '../src/client/launch';
import { main, median, start, time, withEngine, withHome, type Row } from './lib';

const settleMs = 5_000;
const watchedMs = 10_000;

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

async function startTimes(rounds: number): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await withHome(async (home) => {
      const begun = performance.now();
      const client = await start(home);
      times.push(performance.now() - begun);
      await client.call('engine.stop', { body: {} });
      await untilGone(client);
      client.dispose();
    });
  }
  return median(times);
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
      what: 'engine start → first answer',
      value: await startTimes(5),
      unit: 'ms',
      baseline: { what: '`node -e 0`', value: await nodeStart(5) },
      note: 'median of 5',
    },
  ];
}

main('Engine', measure);
