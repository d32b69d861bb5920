/** Engines with microVMs. What takes long to make comes from a cache that stays, and what runs is ended. */
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Operation } from '../../src/api';
import { EventStream } from '../../src/client/events';
import { prefix } from './docker';
import { withEngine, type RunningEngine } from './engine';

/** As all tests of microVMs, which share a template. */
export const memoryMiB = 256;
export const image = 'workspace:latest';
export const wait = { query: { wait: 60_000 } };
const settleTimeoutMs = 300_000;

/** Kits, root file systems and templates: those of the tests. */
const lastingCache =
  process.env.BERTH_CACHE ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'berth', 'microvm');

/** `shared`: those that are there; `own`: none yet; `none`: they can't be kept, so every start is cold. */
export type TemplatesUsed = 'shared' | 'own' | 'none';

/** An engine, and nothing of it afterwards: a machine that was left running is ended, and told. */
export async function withMicrovms<T>(
  templates: TemplatesUsed,
  use: (engine: RunningEngine) => Promise<T>,
): Promise<T> {
  return withEngine(
    async (engine) => {
      const isThere = stay(engine);
      try {
        return await use(engine);
      } finally {
        isThere.dispose();
        await deleteAll(engine);
        await untilSettled(engine.home);
        endLeft(engine.home);
      }
    },
    (home) => {
      process.env.BERTH_CACHE = templates === 'shared' ? lastingCache : cacheBeside(home, templates);
    },
  );
}

/** An engine that has neither clients nor machines ends by itself. */
function stay({ client }: RunningEngine): EventStream {
  const ignore = () => undefined;
  const listener = { event: ignore, connected: ignore, disconnected: ignore };
  return new EventStream(() => Promise.resolve(client.transport), listener);
}

function cacheBeside(home: string, templates: TemplatesUsed): string {
  const cache = join(dirname(home), 'cache');
  mkdirSync(cache, { mode: 0o700 });
  for (const name of ['guest', 'images']) {
    mkdirSync(join(lastingCache, name), { recursive: true, mode: 0o700 });
    symlinkSync(join(lastingCache, name), join(cache, name));
  }
  if (templates === 'none') {
    // In the place of the folder.
    writeFileSync(join(cache, 'templates'), '');
  }
  return cache;
}

/** A name that no other benchmark has. */
export function nameOf(what: string | number): string {
  return `${prefix}-${what}`;
}

export async function createMicrovm({ client }: RunningEngine, name: string): Promise<Operation> {
  const body = { name, image, runtime: 'microvm', limits: { memoryMiB } } as const;
  return client.waitFor(await client.call('workspaces.create', { body, ...wait }));
}

export async function deleteMicrovm({ client }: RunningEngine, name: string): Promise<void> {
  await client.waitFor(await client.call('workspaces.delete', { params: { name }, ...wait }));
}

async function deleteAll(engine: RunningEngine): Promise<void> {
  const left = await engine.client.call('workspaces.list', {});
  await Promise.all(left.map(({ name }) => deleteMicrovm(engine, name)));
}

/** Waits until no template is being made. */
export function untilSettled(home: string): Promise<void> {
  return untilTrue('a template is made', () => !existsSync(join(home, 'drafts')), settleTimeoutMs);
}

/** Looks again and again: exact to a few milliseconds. */
export async function untilTrue(what: string, isSo: () => boolean, timeoutMs: number): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!isSo()) {
    if (Date.now() > end) {
      throw new Error(`Waited ${timeoutMs / 1000} s until ${what}, in vain.`);
    }
    await sleep(5);
  }
}

export function pidOf(home: string, workspace: string): number {
  return Number.parseInt(readFileSync(join(home, 'workspaces', workspace, 'qemu.pid'), 'utf8'), 10);
}

/** Every QEMU that has this folder on its command line. A dead one that nobody has waited for has none. */
export function machinesOf(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const line = argvOf(pid).join(' ');
      return line.includes('qemu-system') && line.includes(folder);
    });
}

/** Empty for a process that has ended. */
export function argvOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}

function endLeft(home: string): void {
  const left = machinesOf(home);
  left.forEach((pid) => process.kill(pid, 'SIGKILL'));
  if (left.length > 0) {
    throw new Error(`QEMU was left running: ${left.join(', ')}.`);
  }
}
