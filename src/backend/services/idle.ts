/**
 * Idle policies: after so many minutes without a client attached a workspace is paused, stopped, archived.
 * Looks only at workspaces that have a policy, and only when the next step could be due.
 */
import type { Drivers } from './drivers';
import type { Log } from './log';
import { runtimeNameOf, type WorkspaceRecord } from './workspace-record';
import type { WorkspaceRegistry } from './workspace-registry';
import type { Workspaces } from './workspaces';

export interface Clock {
  now(): number;
  /** Calls once after `ms`; the answer cancels. */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

const minuteMs = 60_000;
/** A running workspace with a policy is looked at ten times within its idle time, at most once a minute. */
const looksPerIdleTime = 10;
const rarestLookMs = 60_000;
const shortestWaitMs = 50;

type IdleVerb = 'pause' | 'stop' | 'archive';

export interface IdleStep {
  verb: IdleVerb;
  /** When it is due, in ms since the epoch. */
  at: number;
  /** How long it must have been idle by then, in ms. */
  after: number;
}

/** The step that is next for a record. */
export function nextIdleStep(record: WorkspaceRecord): IdleStep | undefined {
  const { pauseAfter = 0, stopAfter = 0, archiveAfter = 0 } = record.spec.idle ?? {};
  const since = Date.parse(record.lastUsedAt);
  const steps: { verb: IdleVerb; minutes: number; from: WorkspaceRecord['state'][] }[] = [
    { verb: 'pause', minutes: pauseAfter, from: ['running'] },
    { verb: 'stop', minutes: stopAfter, from: ['running', 'paused'] },
    { verb: 'archive', minutes: archiveAfter, from: ['running', 'paused', 'stopped'] },
  ];
  const due = steps
    .filter((step) => step.minutes > 0 && step.from.includes(record.state))
    .map(({ verb, minutes }) => ({ verb, at: since + minutes * minuteMs, after: minutes * minuteMs }))
    .sort((a, b) => a.at - b.at);
  return due[0];
}

/** When to look next: clients can come and go unseen between two looks, so they are many. */
function nextLook(record: WorkspaceRecord, step: IdleStep, now: number): number {
  const rhythm = Math.min(step.after / looksPerIdleTime, rarestLookMs);
  return record.state === 'running' ? Math.min(step.at, now + rhythm) : step.at;
}

export interface IdleParts {
  registry: WorkspaceRegistry;
  workspaces: Workspaces;
  drivers: Drivers;
  clock: Clock;
  log: Log;
  /** Terminals, execs and file clients that the engine itself holds open. */
  sessionsOf: (workspace: string) => number;
}

export class IdleWatch {
  private cancelTimer: (() => void) | undefined;
  private looking = false;

  constructor(private readonly parts: IdleParts) {}

  /** Some workspace has a step to come: the engine must stay. */
  get isWatching(): boolean {
    return this.parts.registry.all().some((record) => nextIdleStep(record) !== undefined);
  }

  /** To be called when a workspace changed. */
  reschedule(): void {
    if (this.looking) {
      return;
    }
    this.close();
    const now = this.parts.clock.now();
    const times = this.parts.registry.all().flatMap((record) => {
      const step = nextIdleStep(record);
      return step === undefined ? [] : [nextLook(record, step, now)];
    });
    if (times.length > 0) {
      const wait = Math.min(Math.max(Math.min(...times) - now, shortestWaitMs), rarestLookMs * 60);
      this.cancelTimer = this.parts.clock.after(wait, () => void this.look());
    }
  }

  close(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
  }

  private async look(): Promise<void> {
    this.looking = true;
    try {
      for (const record of this.parts.registry.all()) {
        const step = nextIdleStep(record);
        if (step !== undefined) {
          await this.lookAt(record, step);
        }
      }
    } finally {
      this.looking = false;
      this.reschedule();
    }
  }

  private async lookAt(record: WorkspaceRecord, step: IdleStep): Promise<void> {
    const { registry, workspaces, clock, log } = this.parts;
    try {
      const attached = record.state === 'running' ? await this.attached(record) : 0;
      registry.setAttached(record.name, attached);
      if (attached > 0) {
        await registry.update(record.name, { lastUsedAt: new Date(clock.now()).toISOString() });
      } else if (step.at <= clock.now()) {
        log.info({ workspace: record.name, verb: step.verb }, 'idle');
        workspaces[step.verb](record.name);
      }
    } catch (error) {
      log.warn({ err: error, workspace: record.name }, 'idle step failed');
    }
  }

  private async attached(record: WorkspaceRecord): Promise<number> {
    const { drivers, sessionsOf } = this.parts;
    const inside = await drivers.of(record.spec.runtime).attached(runtimeNameOf(record.name));
    return sessionsOf(record.name) + inside;
  }
}
