/**
 * Idle policies: after so many minutes without a client attached a workspace is paused, stopped, archived.
 * Looks only at workspaces that have a policy, and only when the next step could be due.
 */
import { isProtectedFrom, worksIn } from '../../../../api/rules/lifecycle';
import type { Clock } from '../../../machine/clock';
import type { Log } from '../../../machine/log';
import type { WorkspaceRecord } from '../record';
import type { WorkspaceRegistry } from '../registry';
import type { Runtimes } from '../runtime-handle';
import type { WorkspaceVerbs } from '../verbs';

const minuteMs = 60_000;
/** A running workspace with a policy is looked at ten times within its idle time, at most once a minute. */
const looksPerIdleTime = 10;
const rarestLookMs = 60_000;
const shortestWaitMs = 50;
/** More than this between two looks that nobody planned: the machine slept, or its clock was set. */
const gapMs = 15_000;

const idleVerbs = { pauseAfter: 'pause', stopAfter: 'stop', archiveAfter: 'archive' } as const;
type IdleVerb = (typeof idleVerbs)[keyof typeof idleVerbs];

export interface IdleStep {
  verb: IdleVerb;
  /** When it is due, in ms since the epoch. */
  at: number;
  /** How long it must have been idle by then, in ms. */
  after: number;
}

/** The step that is next for a record, which has been idle `since` then, or else since its last use. */
export function nextIdleStep(
  record: WorkspaceRecord,
  since = Date.parse(record.lastUsedAt),
): IdleStep | undefined {
  const { pauseAfter = 0, stopAfter = 0, archiveAfter = 0 } = record.spec.idle ?? {};
  const steps: { verb: IdleVerb; minutes: number }[] = [
    { verb: idleVerbs.pauseAfter, minutes: pauseAfter },
    { verb: idleVerbs.stopAfter, minutes: stopAfter },
    { verb: idleVerbs.archiveAfter, minutes: archiveAfter },
  ];
  const due = steps
    .filter(
      ({ verb, minutes }) => minutes > 0 && worksIn(verb, record.state) && !isProtectedFrom(verb, record),
    )
    .map(({ verb, minutes }) => ({ verb, at: since + minutes * minuteMs, after: minutes * minuteMs }))
    .sort((a, b) => a.at - b.at);
  return due[0];
}

function hasPolicy({ spec }: WorkspaceRecord): boolean {
  return Object.values(spec.idle ?? {}).some((minutes) => minutes > 0);
}

/** Clients can come and go unseen between two looks, so they are many. */
function rhythmOf(step: IdleStep): number {
  return Math.min(step.after / looksPerIdleTime, rarestLookMs);
}

export interface IdleDeps {
  registry: WorkspaceRegistry;
  verbs: Pick<WorkspaceVerbs, IdleVerb>;
  runtimes: Runtimes;
  clock: Clock;
  log: Log;
  /** Terminals, execs and file clients that the engine itself holds open. */
  sessionsOf: (workspace: string) => number;
}

export class IdleWatch {
  private cancelTimer: (() => void) | undefined;
  private looking = false;
  private readonly lastLooks = new Map<string, number>();
  /** Since when uses of a workspace would have been seen under its policy, without a gap. */
  private readonly watched = new Map<string, { since: number; policy: string }>();
  /** When the next look is planned, and how far the clock on the wall was ahead of the monotonic one. */
  private planned: number | undefined;
  private offset: number | undefined;
  /** Steps that were begun or failed: not tried again at once. */
  private readonly retries = new Map<string, { verb: IdleVerb; at: number }>();

  constructor(private readonly deps: IdleDeps) {}

  /** Some workspace has a step to come: the engine must stay. */
  get isWatching(): boolean {
    return this.deps.registry.all().some((record) => nextIdleStep(record) !== undefined);
  }

  /** To be called when a workspace changed. */
  reschedule(): void {
    if (this.looking) {
      return;
    }
    this.noticeGap();
    this.close();
    const now = this.deps.clock.now();
    const times = this.deps.registry.all().flatMap((record) => this.dueAt(record) ?? []);
    if (times.length > 0) {
      const wait = Math.min(Math.max(Math.min(...times) - now, shortestWaitMs), rarestLookMs * 60);
      this.planned = now + wait;
      this.cancelTimer = this.deps.clock.after(wait, () => this.look());
    }
  }

  close(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    this.planned = undefined;
  }

  /** What happened while the machine slept was not seen, and a clock that was set tells nothing. */
  private noticeGap(): void {
    const now = this.deps.clock.now();
    const offset = now - this.deps.clock.monotonic();
    const moved = offset - (this.offset ?? offset);
    const late = now - (this.planned ?? now);
    this.offset = offset;
    if (Math.abs(moved) > gapMs || late > gapMs) {
      this.skip(now, Math.abs(moved) > gapMs ? moved : late);
    }
  }

  /**
   * One that runs may have been used all the time: it starts anew. For a paused one the gap does not count, what was
   * seen before does, or machines that sleep each night would never come to a long policy. What is stopped ages with
   * the clock on the wall.
   */
  private skip(now: number, gap: number): void {
    for (const [name, entry] of this.watched) {
      const record = this.deps.registry.find(name);
      if (record?.state === 'paused') {
        entry.since = Math.min(now, Math.max(entry.since, Date.parse(record.lastUsedAt)) + gap);
      } else if (record?.state !== 'stopped') {
        entry.since = now;
      }
    }
  }

  private stepOf(record: WorkspaceRecord): IdleStep | undefined {
    const now = this.deps.clock.now();
    const used = Date.parse(record.lastUsedAt);
    const isFuture = used > now + gapMs;
    if (!hasPolicy(record)) {
      this.watched.delete(record.name);
      return undefined;
    }
    const policy = JSON.stringify(record.spec.idle);
    const known = this.watched.get(record.name);
    const isChanged = known !== undefined && known.policy !== policy;
    // Nobody can use what does not run without starting it: that needs no watching.
    const since = isChanged || record.state === 'running' || isFuture ? now : 0;
    const entry = known === undefined || isChanged ? { since, policy } : known;
    this.watched.set(record.name, entry);
    return nextIdleStep(record, isFuture ? entry.since : Math.max(used, entry.since));
  }

  /** When to look at it next. */
  private dueAt(record: WorkspaceRecord): number | undefined {
    const step = this.stepOf(record);
    if (step === undefined) {
      this.lastLooks.delete(record.name);
      return undefined;
    }
    const now = this.deps.clock.now();
    const lastLook = this.lastLooks.get(record.name) ?? now;
    this.lastLooks.set(record.name, lastLook);
    const wanted = record.state === 'running' ? Math.min(step.at, lastLook + rhythmOf(step)) : step.at;
    const retry = this.retries.get(record.name);
    return retry?.verb === step.verb ? Math.max(wanted, retry.at) : wanted;
  }

  private async look(): Promise<void> {
    this.looking = true;
    this.noticeGap();
    this.planned = undefined;
    try {
      const names = this.deps.registry.all().map((record) => record.name);
      for (const name of names) {
        await this.lookAt(name);
      }
      for (const known of [this.lastLooks, this.retries, this.watched]) {
        const gone = [...known.keys()].filter((name) => !names.includes(name));
        gone.forEach((name) => known.delete(name));
      }
    } finally {
      this.looking = false;
      this.reschedule();
    }
  }

  private async lookAt(name: string): Promise<void> {
    const { registry, verbs, clock, log } = this.deps;
    const record = registry.find(name);
    const due = record === undefined ? undefined : this.dueAt(record);
    if (record === undefined || due === undefined || due > clock.now()) {
      return;
    }
    this.lastLooks.set(name, clock.now());
    try {
      const attached = await this.attached(record);
      // Read again: it may have been used, or deleted, while we asked.
      const step = this.stepOf(registry.find(name) ?? { ...record, state: 'deleting' });
      if (step === undefined) {
        return;
      }
      registry.setAttached(name, attached);
      if (attached > 0) {
        await registry.update(name, { lastUsedAt: new Date(clock.now()).toISOString() });
      } else if (step.at <= clock.now()) {
        log.info({ workspace: name, verb: step.verb }, 'idle');
        this.retryLater(name, step);
        verbs[step.verb](name);
      }
    } catch (error) {
      log.warn({ err: error, workspace: name }, 'idle step failed');
      const step = this.stepOf(record);
      if (step !== undefined) {
        this.retryLater(name, step);
      }
    }
  }

  private retryLater(name: string, step: IdleStep): void {
    this.retries.set(name, { verb: step.verb, at: this.deps.clock.now() + rhythmOf(step) });
  }

  /** Clients inside a paused workspace can't be counted; the sessions of the engine itself always are. */
  private async attached(record: WorkspaceRecord): Promise<number> {
    const { runtimes, sessionsOf } = this.deps;
    if (record.state !== 'running') {
      return sessionsOf(record.name);
    }
    const inside = await runtimes.of(record).attached();
    return sessionsOf(record.name) + inside;
  }
}
