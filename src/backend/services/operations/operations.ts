/** Long-running jobs, on disk from start to some days after the end: one cut off by a dead engine is `interrupted`. */
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BerthError, asBerthError } from '../../../api/errors';
import { redactAddresses } from '../../../api/rules/redact-addresses';
import type { OperationKind, OperationResults, VerbKind } from '../../../api/operations/results';
import { Operation, type Progress } from '../../../api/operations/schemas';
import type { Step } from '../../../api/workspaces/schemas';
import { removeTree } from '../../machine/files';
import { readRecord, writeRecord, type RecordFormat } from '../../store/records';
import { currentCaller } from '../callers/caller';
import { isStartKind } from '../../../api/rules/lifecycle';
import type { EventHub } from './event-hub';
import type { Log } from '../../machine/log';
import type { OperationContext, PlannedStep } from './operation-context';
import { throttle } from './throttle';

const format: RecordFormat<typeof Operation> = { version: 1, schema: Operation, migrations: [] };
const progressEveryMs = 100;
const kept = 200;
/** So long who began one has to ask what came of it, however many others end meanwhile; up to a bound. */
const keptForMs = 60_000;
const maxKept = 2_000;

export interface OperationStart<K extends OperationKind = OperationKind> {
  kind: K;
  title: string;
  workspace?: string;
  volume?: string;
  cancellable?: boolean;
  /** Shown as `pending` until they begin; those that turn out not to be needed are left out. */
  plan?: readonly PlannedStep[];
}

/** Does what the operation is for, and answers what it has produced, where there is something to say. */
export type Work<K extends OperationKind> = (
  context: OperationContext,
) => Promise<OperationResults[K] | undefined>;

interface Running {
  operation: Operation;
  abort: AbortController;
  done: Promise<void>;
}

export class Operations {
  private readonly ended = new Map<string, Operation>();
  private readonly running = new Map<string, Running>();
  /** Had nothing to do: known for a while to who asked for them, and on no record. */
  private readonly idle = new Map<string, Operation>();
  /** How many wait for an operation now: its result is theirs. */
  private readonly waiting = new Map<string, number>();
  /** By workspace: asked for with every row of a list. */
  private readonly lastStarts = new Map<string, Operation>();
  /** What operations that were cut off worked on: an earlier engine may have left drafts there. */
  readonly unfinishedVolumes = new Set<string>();

  constructor(
    private readonly directory: string,
    private readonly events: EventHub,
    private readonly log: Log,
  ) {}

  get runningCount(): number {
    return this.running.size;
  }

  /** Reads what earlier engines left; what was running then is `interrupted` now. */
  async load(): Promise<void> {
    for (const file of await readdir(this.directory)) {
      if (!file.endsWith('.json')) {
        continue;
      }
      const read = await readRecord(join(this.directory, file), format);
      if (read.kind === 'ok') {
        const operation = redacted(read.value);
        if (operation.status === 'running') {
          await this.save(markInterrupted(operation));
          if (operation.volume !== undefined) {
            this.unfinishedVolumes.add(operation.volume);
          }
        }
        this.ended.set(operation.id, operation);
        // One that had nothing to do started nothing: earlier versions have kept those, too.
        if (operation.steps.length > 0) {
          this.noteStart(operation);
        }
      }
    }
    await this.prune();
  }

  list(onlyRunning = false): Operation[] {
    const now = [...this.running.values()].map((run) => run.operation);
    const all = onlyRunning ? now : [...now, ...this.ended.values()];
    return all.sort((a, b) => b.startedAt.localeCompare(a.startedAt));
  }

  idsOf(workspace: string): string[] {
    return this.runningOn(workspace).map(({ id }) => id);
  }

  runningOn(workspace: string): Operation[] {
    return [...this.running.values()]
      .map(({ operation }) => operation)
      .filter((operation) => operation.workspace === workspace);
  }

  /** The steps of the last operation that built or started a workspace. */
  startStepsOf(workspace: string): Step[] {
    return structuredClone(this.lastStarts.get(workspace)?.steps ?? []);
  }

  /** Throws `not_found` for one that never was, or ended long ago. */
  get(id: string): Operation {
    const operation = this.running.get(id)?.operation ?? this.ended.get(id) ?? this.idle.get(id);
    if (operation === undefined) {
      throw new BerthError('not_found', `There is no operation ${id}.`, {
        hint: 'Operations that have ended are kept only for a while.',
      });
    }
    return operation;
  }

  /** Begins at once; the answer is the operation as it starts. Errors of `work` end up in its record. */
  start<K extends OperationKind>(begin: OperationStart<K>, work: Work<K>): Operation {
    const operation = this.launch(begin, work, true);
    this.noteStart(operation);
    this.publish(operation);
    return operation;
  }

  private launch<K extends OperationKind>(
    begin: OperationStart<K>,
    work: Work<K>,
    isRecorded: boolean,
  ): Operation {
    const caller = currentCaller();
    const operation: Operation = {
      id: randomUUID(),
      kind: begin.kind,
      title: begin.title,
      ...(begin.workspace !== undefined && { workspace: begin.workspace }),
      ...(begin.volume !== undefined && { volume: begin.volume }),
      ...(caller.kind === 'token' && { by: caller.id }),
      status: 'running',
      cancellable: begin.cancellable ?? true,
      startedAt: new Date().toISOString(),
      steps: (begin.plan ?? []).map((step) => ({ ...step, outcome: 'pending' })),
      warnings: [],
    };
    const abort = new AbortController();
    const done = this.perform(operation, abort.signal, work, isRecorded);
    this.running.set(operation.id, { operation, abort, done });
    return operation;
  }

  /** An operation that succeeds without changes, unless `check` throws. */
  startNoop(begin: OperationStart<VerbKind>, check: () => Promise<unknown>): Operation {
    const work = async (): Promise<OperationResults[VerbKind]> => {
      await check();
      return { changed: false };
    };
    return this.launch({ ...begin, cancellable: false }, work, false);
  }

  /** As it is when it has ended, or after `ms`. */
  async wait(id: string, ms: number): Promise<Operation> {
    const run = this.running.get(id);
    if (run === undefined || ms <= 0) {
      return this.get(id);
    }
    const timer = new AbortController();
    this.waiting.set(id, (this.waiting.get(id) ?? 0) + 1);
    try {
      await Promise.race([run.done, sleep(ms, undefined, { signal: timer.signal }).catch(() => undefined)]);
      return this.get(id);
    } finally {
      timer.abort();
      const others = (this.waiting.get(id) ?? 1) - 1;
      this.waiting.set(id, others);
      if (others === 0) {
        this.waiting.delete(id);
      }
    }
  }

  /** Asks an operation to end early. Throws `not_found`, and `illegal_state` for one that can't be cancelled. */
  cancel(id: string): Operation {
    const run = this.running.get(id);
    if (run === undefined) {
      return this.get(id);
    }
    if (!run.operation.cancellable) {
      throw new BerthError('illegal_state', `"${run.operation.title}" can't be cancelled.`);
    }
    run.abort.abort(new BerthError('cancelled', `${run.operation.title}: cancelled.`));
    return run.operation;
  }

  /** Cancels those that can be cancelled, and waits until all of them have ended. */
  async end(ids: readonly string[]): Promise<void> {
    const runs = ids.flatMap((id) => this.running.get(id) ?? []);
    runs
      .filter((run) => run.operation.cancellable)
      .forEach((run) => run.abort.abort(new BerthError('cancelled', `${run.operation.title}: cancelled.`)));
    await Promise.all(runs.map((run) => run.done));
  }

  /** Cancels what can be cancelled and waits for all to end. */
  async close(): Promise<void> {
    const all = [...this.running.values()];
    const reason = new BerthError('cancelled', 'Cancelled: the engine ends.');
    all.filter((run) => run.operation.cancellable).forEach((run) => run.abort.abort(reason));
    await Promise.all(all.map((run) => run.done));
  }

  private async perform(
    operation: Operation,
    signal: AbortSignal,
    work: Work<OperationKind>,
    isRecorded: boolean,
  ): Promise<void> {
    const report = throttle(progressEveryMs, () => this.publish(operation));
    // A turn later, so that the caller has the operation before its work can end it.
    await Promise.resolve();
    const saved = isRecorded ? this.save(operation) : undefined;
    try {
      const result = await work(
        makeContext(operation, signal, report.request, () => this.publish(operation)),
      );
      if (result !== undefined) {
        operation.result = result;
      }
      operation.status = 'succeeded';
    } catch (error) {
      this.fail(operation, signal, error);
    }
    report.stop();
    operation.steps = operation.steps.filter(({ outcome }) => outcome !== 'pending');
    operation.cancellable = false;
    operation.endedAt = new Date().toISOString();
    (isRecorded ? this.ended : this.idle).set(operation.id, operation);
    this.running.delete(operation.id);
    this.publish(operation);
    if (isRecorded) {
      await saved;
      await this.save(operation);
    }
    await this.prune();
  }

  private fail(operation: Operation, signal: AbortSignal, thrown: unknown): void {
    const error = asBerthError(thrown);
    const cancelled = error.code === 'cancelled' || signal.aborted;
    operation.status = cancelled ? 'cancelled' : 'failed';
    for (const step of operation.steps) {
      if (step.outcome === 'running') {
        step.outcome = 'failed';
      }
    }
    if (!cancelled) {
      operation.error = error.toBody();
      this.log.warn({ operation: operation.id, kind: operation.kind, err: thrown }, 'operation failed');
    }
  }

  private noteStart(operation: Operation): void {
    const { workspace, kind, startedAt } = operation;
    if (workspace !== undefined && isStartKind(kind)) {
      const known = this.lastStarts.get(workspace);
      if (known === undefined || known.startedAt <= startedAt) {
        this.lastStarts.set(workspace, operation);
      }
    }
  }

  private publish(operation: Operation): void {
    this.events.publish('operation.changed', structuredClone(operation));
  }

  private async save(operation: Operation): Promise<void> {
    try {
      await writeRecord(join(this.directory, `${operation.id}.json`), format, operation);
    } catch (error) {
      // The work itself matters more than its record: a full disk must not fail a stop.
      this.log.error({ err: error, operation: operation.id }, 'operation record not written');
    }
  }

  /** Those that ended longest ago, and that nobody waits for. */
  private surplus(operations: ReadonlyMap<string, Operation>): Operation[] {
    const endOf = ({ startedAt, endedAt }: Operation): string => endedAt ?? startedAt;
    const since = new Date(Date.now() - keptForMs).toISOString();
    return [...operations.values()]
      .sort((a, b) => endOf(b).localeCompare(endOf(a)))
      .filter((operation, index) => index >= maxKept || (index >= kept && endOf(operation) < since))
      .filter(({ id }) => !this.waiting.has(id));
  }

  private async prune(): Promise<void> {
    this.surplus(this.idle).forEach(({ id }) => this.idle.delete(id));
    for (const operation of this.surplus(this.ended)) {
      this.ended.delete(operation.id);
      if (operation.workspace !== undefined && this.lastStarts.get(operation.workspace) === operation) {
        this.lastStarts.delete(operation.workspace);
      }
      await removeTree(join(this.directory, `${operation.id}.json`)).catch((error: unknown) => {
        this.log.warn({ err: error, operation: operation.id }, 'old operation record not removed');
      });
    }
  }
}

/** Older versions noted the tokens of clone addresses in titles and in what git said. */
function redacted(operation: Operation): Operation {
  const { title, steps, warnings, error } = operation;
  return {
    ...operation,
    title: redactAddresses(title),
    warnings: warnings.map(redactAddresses),
    steps: steps.map((step) => ({
      ...step,
      title: redactAddresses(step.title),
      ...(step.message !== undefined && { message: redactAddresses(step.message) }),
    })),
    ...(error !== undefined && {
      error: {
        ...{ ...error, message: redactAddresses(error.message) },
        ...(error.detail !== undefined && { detail: redactAddresses(error.detail) }),
      },
    }),
  };
}

function markInterrupted(operation: Operation): Operation {
  operation.status = 'interrupted';
  operation.cancellable = false;
  operation.endedAt = new Date().toISOString();
  operation.error = {
    code: 'internal',
    message: `${operation.title}: the engine ended before it was done.`,
    hint: 'Nothing of yours is lost. Check the state, then try again.',
  };
  return operation;
}

function makeContext(
  operation: Operation,
  signal: AbortSignal,
  soon: () => void,
  now: () => void,
): OperationContext {
  return {
    signal,
    progress: (progress: Progress) => {
      operation.progress = progress;
      soon();
    },
    warn: (text) => {
      operation.warnings.push(text);
      soon();
    },
    step: async (name, title, run) => {
      signal.throwIfAborted();
      const step: Step = { name, title, outcome: 'running' };
      operation.steps = withBegun(operation.steps, step);
      // That was of the step before.
      delete operation.progress;
      now();
      const started = performance.now();
      try {
        const result = await run();
        step.outcome = 'done';
        return result;
      } catch (error) {
        step.outcome = 'failed';
        step.message = asBerthError(error).message;
        throw error;
      } finally {
        step.ms = Math.round(performance.now() - started);
        now();
      }
    },
  };
}

/** In the place that was planned for it: planned ones before that were not needed. Else before all that are to come. */
function withBegun(steps: readonly Step[], begun: Step): Step[] {
  const [past, coming] = [
    steps.filter(({ outcome }) => outcome !== 'pending'),
    steps.filter(({ outcome }) => outcome === 'pending'),
  ];
  const at = coming.findIndex(({ name }) => name === begun.name);
  return [...past, begun, ...coming.slice(at + 1)];
}
