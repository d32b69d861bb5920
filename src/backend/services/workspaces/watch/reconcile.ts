/**
 * Records against what the drivers report: at start, when a daemon comes back, and when something happened
 * to a runtime that was not our doing. Nothing is deleted here but what a confirmed delete left half done.
 */
import { BerthError, asBerthError } from '../../../../api/errors';
import { isAtRest, isBroken, isSetAside, isSetUp } from '../../../../api/rules/lifecycle';
import type { Problem, WorkspaceState } from '../../../../api/workspaces/schemas';
import { runtimeWarnings, type Driver, type DriverEvent, type RuntimeInfo } from '../../../drivers/driver';
import { isDrivenBy, type Drivers } from '../../engine/drivers';
import { haltProblem, isHalted } from '../halted';
import { problemOf } from '../problem';
import type { Operations } from '../../operations/operations';
import { renewClaims } from '../../volumes/own-volumes';
import type { WorkspaceRecord } from '../record';
import { LaterRetries } from './later-retries';
import { settleReplacement, type ReplacementDeps } from '../replacement';
import { WorkspaceElsewhere } from '../target';
import type { WorkspaceVerbs } from '../verbs';

export interface ReconcilerDeps extends ReplacementDeps {
  verbs: Pick<WorkspaceVerbs, 'finishDelete'>;
  operations: Operations;
  drivers: Drivers;
  /** The pause before the first retry of what could not be looked at. */
  reconcileRetryMs?: number;
}

const createInterrupted: Problem = {
  code: 'interrupted',
  step: 'create',
  message: 'The engine ended in the middle of creating it.',
  hint: 'Recover it to go on from there, or delete it.',
};

/** A fork whose files were not copied to their end can't go on. */
const interruptedOf = ({ name, isUnfilled }: WorkspaceRecord): Problem =>
  isUnfilled === true
    ? { ...createInterrupted, hint: `Delete it: \`berth delete ${name}\`, and fork again.` }
    : createInterrupted;

const unreachable = 'The runtime does not answer: this is the state as last seen.';

/** How often a workspace that changes while it is looked at is looked at again. */
const looks = 5;
/** What could not be looked at is tried again after so long, then after twice as long, and so on to the max. */
const firstRetryMs = 1_000;
const maxRetryMs = 300_000;

export class Reconciler {
  private readonly stops: (() => void)[] = [];
  /** Created halfway when this engine started. Others in that state are being created by it. */
  private readonly interrupted = new Set<string>();
  /** Something happened to their runtimes while an operation of ours worked on them. */
  private readonly missed = new Set<string>();
  /** By driver: a look at all of its runtimes that is under way, and whether another one is wanted after it. */
  private readonly rounds = new Map<Driver, { done: Promise<void>; again: boolean }>();
  private readonly retries: LaterRetries;

  constructor(private readonly deps: ReconcilerDeps) {
    this.retries = new LaterRetries(deps.reconcileRetryMs ?? firstRetryMs, maxRetryMs);
  }

  /** All records of all drivers, then whatever the drivers tell. */
  async start(): Promise<void> {
    const { drivers, registry } = this.deps;
    const creating = registry.all().filter((record) => record.state === 'creating');
    creating.forEach((record) => this.interrupted.add(record.name));
    await Promise.all(
      drivers.all().map(async (driver) => {
        // First: whatever fails below, what happens from now on is heard of.
        this.stops.push(driver.watch((event) => void this.seen(driver, event)));
        await this.all(driver);
      }),
    );
  }

  close(): void {
    this.stops.splice(0).forEach((stop) => stop());
    this.retries.close();
  }

  /** One round at a time: who asks during one has another one made after it. Never rejects. */
  private all(driver: Driver): Promise<void> {
    const round = this.rounds.get(driver);
    if (round !== undefined) {
      round.again = true;
      return round.done;
    }
    const started = { done: this.round(driver), again: false };
    this.rounds.set(driver, started);
    void started.done.then(() => {
      this.rounds.delete(driver);
      if (started.again) {
        void this.all(driver);
      }
    });
    return started.done;
  }

  private async round(driver: Driver): Promise<void> {
    const { registry, runtimes, log } = this.deps;
    const mine = registry.all().filter(({ spec }) => isDrivenBy(driver, spec));
    if (mine.length === 0) {
      return;
    }
    let found: RuntimeInfo[];
    try {
      found = await driver.list();
    } catch (error) {
      log.warn({ err: error, driver: driver.kind }, 'driver does not answer');
      for (const { name } of mine) {
        await this.noteUnseen(name, error);
      }
      // One that is down tells when it is back; an answer that is an error may stay the only one.
      if (asBerthError(error).code !== 'runtime_unavailable') {
        this.retries.again(driver.kind, () => this.all(driver));
      }
      return;
    }
    this.retries.done(driver.kind);
    const byName = new Map(found.filter(isOurs).map((info) => [info.name, info]));
    for (const record of mine) {
      await this.attempt(record.name, async () => {
        const info = byName.get((await runtimes.reach(record)).name);
        // A list does not tell when something was started: that needs a closer look.
        if (info?.state === 'running' || registry.find(record.name) !== record) {
          await this.lookAt(record.name);
        } else {
          await this.one(record, info);
        }
      });
    }
  }

  /** One workspace that can't be looked at keeps no other from it: it says so, and is tried again. */
  private async attempt(name: string, look: () => Promise<void> = () => this.lookAt(name)): Promise<void> {
    const { log } = this.deps;
    const key = `workspace/${name}`;
    try {
      await look();
      this.retries.done(key);
    } catch (error) {
      await this.noteUnseen(name, error);
      if (error instanceof WorkspaceElsewhere) {
        // All are looked at again with the connection to another container engine.
        this.retries.done(key);
        return;
      }
      log.warn({ err: error, workspace: name }, 'not looked at: tried again later');
      this.retries.again(key, () => this.attempt(name));
    }
  }

  /** While an operation of ours works on it, that one says how it is. */
  private async noteUnseen(name: string, cause: unknown): Promise<void> {
    const { registry, operations, log } = this.deps;
    if (registry.find(name) === undefined || operations.idsOf(name).length > 0) {
      return;
    }
    // On a full disk it may well have been seen, but not written down.
    const { code, message } = asBerthError(cause);
    const isClear = code === 'no_space' || cause instanceof WorkspaceElsewhere;
    try {
      await registry.update(name, { stateDetail: isClear ? message : unreachable });
    } catch (error) {
      log.warn({ err: error, workspace: name }, 'record not written');
    }
  }

  /** What was seen counts only when nobody changed the record meanwhile. */
  private async lookAt(name: string): Promise<void> {
    const { registry, runtimes } = this.deps;
    for (let look = 0; look < looks; look += 1) {
      const record = registry.find(name);
      if (record === undefined) {
        return;
      }
      const info = await (await runtimes.reach(record)).inspect();
      if (registry.find(name) === record) {
        await this.one(record, info !== undefined && isOurs(info) ? info : undefined);
        return;
      }
    }
    throw new BerthError('timeout', `Workspace ${name} changed each time it was looked at.`);
  }

  private async one(record: WorkspaceRecord, info: RuntimeInfo | undefined): Promise<void> {
    const { registry, operations } = this.deps;
    const { name } = record;
    // While an operation of ours works on it, that one settles the state. What it did not see is looked at afterwards.
    if (operations.idsOf(name).length > 0) {
      this.missed.add(name);
      return;
    }
    if (record.state === 'deleting' && hasBegunToRemove(record)) {
      this.deps.verbs.finishDelete(name, record.keepsVolumes ?? false);
    } else if (record.state === 'creating') {
      if (this.interrupted.delete(name)) {
        const { id: runtimeId, startedAt } = info ?? {};
        await registry.settle(name, 'error', { problem: interruptedOf(record), runtimeId, startedAt });
      }
    } else if (record.replaced !== undefined) {
      // The engine was killed in the middle of a rebuild, or of an adoption.
      await settleReplacement(this.deps, name);
      await this.lookAt(name);
    } else {
      await this.settle(record, info);
      await this.warn(name, info?.warning);
    }
  }

  /** What the driver warns of, for as long as it does. */
  private async warn(name: string, warning: Problem | undefined): Promise<void> {
    const { registry } = this.deps;
    const warnings = registry.find(name)?.warnings ?? [];
    const known = warnings.filter(({ code }) => runtimeWarnings.includes(code));
    const wanted = warning === undefined ? [] : [warning];
    if (known.map(textOf).join() !== wanted.map(textOf).join()) {
      const others = warnings.filter((each) => !known.includes(each));
      await registry.update(name, { warnings: [...others, ...wanted] });
    }
  }

  private async settle(record: WorkspaceRecord, info: RuntimeInfo | undefined): Promise<void> {
    const { registry } = this.deps;
    const { name } = record;
    const state = stateNow(record, info);
    const problem = problemNow(record, state, info);
    const isChanged =
      state !== record.state ||
      record.stateDetail !== info?.detail ||
      info?.id !== record.runtimeId ||
      problem?.message !== record.problem?.message;
    if (state === 'running' && wasStartedElsewhere(record, info)) {
      this.setUp(name, info?.startedAt);
      // Somebody wants it: it has not been idle since its last use here.
      const lastUsedAt = new Date().toISOString();
      await registry.settle(name, 'starting', { runtimeId: info?.id, lastUsedAt });
    } else if (isChanged) {
      const startedAt = isAtRest(state) ? undefined : record.startedAt;
      const patch = { runtimeId: info?.id, problem, startedAt, stateDetail: info?.detail };
      await registry.settle(name, state, patch);
    }
  }

  /** To be called when an operation on a workspace has ended. */
  async operationEnded(name: string): Promise<void> {
    const record = this.deps.registry.find(name);
    if (this.missed.delete(name) && record !== undefined) {
      await this.attempt(name);
    }
  }

  private async seen(driver: Driver, event: DriverEvent): Promise<void> {
    const { registry, runtimes, log } = this.deps;
    try {
      if (event.type === 'connection') {
        await Promise.all([this.all(driver), event.up ? renewClaims(this.deps, driver) : undefined]);
        return;
      }
      if (event.type !== 'runtime' || event.workspace === undefined) {
        return;
      }
      const record = registry.find(event.workspace);
      if (record !== undefined && runtimes.of(record).name === event.name) {
        await this.attempt(record.name);
      }
    } catch (error) {
      log.warn({ err: error, event }, 'event not taken in');
    }
  }

  /** Started by another tool, or by an engine that was killed while it did: it runs, and has no keys yet, or not all. */
  private setUp(name: string, startedAt: string | undefined): void {
    const { operations, starter, registry } = this.deps;
    operations.start(
      {
        kind: 'workspace.configure',
        title: `Set up workspace ${name}, which was started elsewhere`,
        workspace: name,
      },
      async (context) => {
        // Noted first: what fails is tried again by a restart, not by every look.
        await registry.update(name, { startedAt });
        try {
          await starter.finish(name, context);
          await registry.settle(name, 'running');
        } catch (error) {
          const problem = problemOf(error, 'configure');
          // If it has ended meanwhile, the look after this operation says so.
          this.missed.add(name);
          await registry.settle(name, 'running', context.signal.aborted ? {} : { problem });
          throw error;
        }
        return undefined;
      },
    );
  }
}

/** A delete that was cut off before that has removed nothing, and may be taken back. */
const hasBegunToRemove = ({ removes, toTrash, keepsVolumes }: WorkspaceRecord): boolean =>
  removes === true || keepsVolumes === true || toTrash !== undefined;

/** What another installation or another tool made has the name, and is not the runtime of our record. */
function isOurs({ owner, isUnmarked = false }: RuntimeInfo): boolean {
  return owner === undefined && !isUnmarked;
}

/** It runs, and the last start was not ours, or was not done. */
function wasStartedElsewhere(record: WorkspaceRecord, info: RuntimeInfo | undefined): boolean {
  return isAnotherStart(record, info) || !(isSetUp(record.state) || isHalted(record));
}

function isAnotherStart(record: WorkspaceRecord, info: RuntimeInfo | undefined): boolean {
  return (
    info?.startedAt !== undefined && record.startedAt !== undefined && info.startedAt !== record.startedAt
  );
}

/** What stands still now, or what went wrong before and still counts. */
function problemNow(
  record: WorkspaceRecord,
  state: WorkspaceState,
  info: RuntimeInfo | undefined,
): Problem | undefined {
  const isOver = state !== record.state || isHalted(record);
  return haltProblem(info) ?? (isOver ? undefined : record.problem);
}

function stateNow(record: WorkspaceRecord, info: RuntimeInfo | undefined): WorkspaceState {
  if (isSetAside(record.state) && (info === undefined || info.state === 'stopped')) {
    return 'archived';
  }
  if (info?.halt !== undefined) {
    return 'error';
  }
  if (info !== undefined && isHalted(record)) {
    return info.state;
  }
  if (info !== undefined) {
    // What failed stays so until it is recovered, or somebody starts it anew: that it runs mends nothing.
    const isMended = info.state === 'running' && isAnotherStart(record, info);
    return record.state === 'error' && !isMended ? 'error' : info.state;
  }
  return isBroken(record.state) ? 'error' : 'stopped';
}

function textOf({ code, message }: Problem): string {
  return `${code} ${message}`;
}
