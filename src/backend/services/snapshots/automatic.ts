/**
 * Snapshots that workspaces have made of what they write to: by the clock while they are used, and whenever they have
 * stopped. Looks only when one could be due; what no rule keeps goes after each.
 */
import { asBerthError } from '../../../api/errors';
import { isAtRest, isLive } from '../../../api/rules/lifecycle';
import { defaultKeep } from '../../../api/snapshots/default-keep';
import { automaticReasons, type AutomaticReason, type KeepPolicy } from '../../../api/snapshots/schemas';
import type { WorkspaceState } from '../../../api/rules/lifecycle';
import type { Log } from '../../machine/log';
import type { SnapshotMaker, SnapshotRecords } from '../../store/snapshot-records';
import { isCopied } from '../workspaces/fork/fork-spec';
import type { WorkspaceRecord } from '../workspaces/record';
import type { WorkspaceRegistry } from '../workspaces/registry';
import type { Clock } from '../../machine/clock';

const minuteMs = 60_000;
const shortestMinutes = 5;
/** After one that failed. */
const retryMs = 10 * minuteMs;
const maxWaitMs = 60 * minuteMs;

/** Code of the warning that the last one was not made. */
export const notMade = 'snapshot-not-made';

export interface AutomaticSnapshotsDeps {
  registry: Pick<WorkspaceRegistry, 'all' | 'find' | 'warn' | 'update'>;
  records: Pick<SnapshotRecords, 'of'>;
  clock: Clock;
  log: Log;
  /** Makes one and waits for it. */
  take: (volume: string, reason: AutomaticReason, by: SnapshotMaker) => Promise<void>;
  /** Of those with these reasons that it has wanted, what the policy does not keep goes. */
  thin: (
    volume: string,
    policy: KeepPolicy,
    reasons: readonly AutomaticReason[],
    by: SnapshotMaker,
  ) => Promise<void>;
}

export class AutomaticSnapshots {
  private cancelTimer: (() => void) | undefined;
  /** Workspaces of which some are being made. */
  private readonly busy = new Set<string>();
  /** What is to be made when that is done. */
  private readonly wanted = new Map<string, AutomaticReason>();
  private readonly states = new Map<string, WorkspaceState>();
  /** Ran, and may have written, since the last one. */
  private readonly ran = new Set<string>();
  private readonly retries = new Map<string, number>();
  private isClosed = false;

  constructor(private readonly deps: AutomaticSnapshotsDeps) {}

  /** Some workspace has one to come: the engine must stay. */
  get isWatching(): boolean {
    return this.busy.size > 0 || this.deps.registry.all().some((record) => this.dueAt(record) !== undefined);
  }

  /** Before the engine looks at what has become of them: what has stopped meanwhile is seen by that. */
  begin(): void {
    for (const { name, state } of this.deps.registry.all()) {
      this.states.set(name, state);
      if (!isAtRest(state)) this.ran.add(name);
    }
  }

  /** To be called when a workspace changed, or was deleted. */
  look(name: string): void {
    const record = this.deps.registry.find(name);
    const before = this.states.get(name);
    if (record === undefined) {
      for (const known of [this.states, this.ran, this.retries]) known.delete(name);
    } else {
      this.states.set(name, record.state);
      this.follow(record, before);
    }
    this.reschedule();
  }

  lookAtAll(): void {
    this.deps.registry.all().forEach(({ name }) => this.look(name));
  }

  close(): void {
    this.isClosed = true;
    this.cancelTimer?.();
  }

  private follow(record: WorkspaceRecord, before: WorkspaceState | undefined): void {
    if (isLive(record.state)) {
      this.ran.add(record.name);
    }
    const hasEnded = isAtRest(record.state) && before !== undefined && !isAtRest(before);
    const mayDiffer = this.ran.has(record.name) || this.busy.has(record.name);
    if (hasEnded && mayDiffer && record.spec.snapshots?.atStop === true) {
      void this.make(record.name, 'stop');
      // Where the engine is killed while it is made, the next one makes it.
      void this.deps.registry.update(record.name, { isSnapshotDue: true }).catch((error: unknown) => {
        this.deps.log.warn({ err: error, workspace: record.name }, 'not noted that a snapshot is due');
      });
    }
  }

  private reschedule(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    const { clock, registry } = this.deps;
    const times = this.isClosed ? [] : registry.all().flatMap((record) => this.dueAt(record) ?? []);
    if (times.length > 0) {
      const wait = Math.min(Math.max(Math.min(...times) - clock.now(), 0), maxWaitMs);
      this.cancelTimer = clock.after(wait, () => this.makeDue());
    }
  }

  private async makeDue(): Promise<void> {
    const { clock, registry } = this.deps;
    const due = registry.all().filter((record) => (this.dueAt(record) ?? Infinity) <= clock.now());
    // One after another: a disk is copied whole.
    for (const record of due) {
      await this.make(record.name, isDueAfterStop(record) ? 'stop' : 'schedule');
    }
    this.reschedule();
  }

  /** When the next one is due, in ms since 1970; nothing while nobody can have changed anything. */
  private dueAt(record: WorkspaceRecord): number | undefined {
    const { every = 0 } = record.spec.snapshots ?? {};
    if (this.busy.has(record.name)) {
      return undefined;
    }
    if (isDueAfterStop(record)) {
      return this.retries.get(record.name) ?? 0;
    }
    if (every <= 0) {
      return undefined;
    }
    const now = this.deps.clock.now();
    const isPast = (at: string): boolean => Date.parse(at) <= now;
    // The clock may have been set back since.
    const newest = this.deps.records.of(record.homeVolume).find(({ createdAt }) => isPast(createdAt));
    const since = newest?.createdAt ?? record.createdAt;
    const last = isPast(since) ? Date.parse(since) : 0;
    const isUsed =
      record.state === 'running' ||
      ((isLive(record.state) || isAtRest(record.state)) &&
        (this.ran.has(record.name) || Date.parse(record.startedAt ?? '') > last));
    if (!isUsed) {
      return undefined;
    }
    const due = last + Math.max(every, shortestMinutes) * minuteMs;
    return Math.max(due, this.retries.get(record.name) ?? 0);
  }

  private async make(name: string, reason: AutomaticReason): Promise<void> {
    this.wanted.set(name, reason);
    if (this.busy.has(name)) {
      return;
    }
    this.busy.add(name);
    try {
      for (let next = this.wanted.get(name); next !== undefined; next = this.wanted.get(name)) {
        this.wanted.delete(name);
        const record = this.isClosed ? undefined : this.deps.registry.find(name);
        await (record && this.makeAll(record, next));
      }
    } catch (error) {
      this.deps.log.warn({ err: error, workspace: name }, 'what came of automatic snapshots was not noted');
    } finally {
      this.busy.delete(name);
      this.reschedule();
    }
  }

  private async makeAll(record: WorkspaceRecord, reason: AutomaticReason): Promise<void> {
    const { name, homeVolume, spec } = record;
    const { registry, clock, log } = this.deps;
    // What is written from here on is for the next one.
    this.ran.delete(name);
    const named = (spec.mounts ?? []).filter(isCopied).map(({ source }) => source);
    const failures: string[] = [];
    for (const volume of new Set([homeVolume, ...named])) {
      await this.makeOf(volume, reason, record).catch((error: unknown) => {
        log.warn({ err: error, workspace: name, volume }, 'an automatic snapshot was not made');
        failures.push(`${volume}: ${asBerthError(error).message}`);
      });
    }
    if (failures.length > 0 || registry.find(name)?.state === 'running') this.ran.add(name);
    if (failures.length > 0) this.retries.set(name, clock.now() + retryMs);
    else this.retries.delete(name);
    await this.report(name, failures);
  }

  private async makeOf(
    volume: string,
    reason: AutomaticReason,
    { name, createdAt, spec }: WorkspaceRecord,
  ): Promise<void> {
    const by = { name, createdAt };
    await this.deps.take(volume, reason, by);
    await this.deps.thin(volume, spec.snapshots?.keep ?? defaultKeep, automaticReasons, by);
  }

  /** The warning stands until the next one is made. */
  private async report(name: string, failures: readonly string[]): Promise<void> {
    const { registry } = this.deps;
    const record = registry.find(name);
    if (record === undefined) {
      return;
    }
    if (failures.length === 0 && record.isSnapshotDue === true && !this.wanted.has(name)) {
      await registry.update(name, { isSnapshotDue: undefined });
    }
    if (failures.length > 0) {
      await registry.warn(name, {
        code: notMade,
        message: `Its last automatic snapshot was not made. ${failures.join(' ')}`,
        hint: `It is tried again. \`berth snapshot auto ${name} --off\` makes no more.`,
      });
    } else if (record.warnings.some(({ code }) => code === notMade)) {
      await registry.update(name, { warnings: record.warnings.filter(({ code }) => code !== notMade) });
    }
  }
}

/** The one that its last stop was to make is not there yet. */
const isDueAfterStop = ({ state, spec, isSnapshotDue }: WorkspaceRecord): boolean =>
  isSnapshotDue === true && isAtRest(state) && spec.snapshots?.atStop === true;
