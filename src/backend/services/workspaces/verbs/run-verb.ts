/** The frame of every verb: check, in-between state, operation, settled state. */
import { asBerthError, BerthError } from '../../../../api/errors';
import type { Operation } from '../../../../api/operations/schemas';
import {
  isRuntimeState,
  isSettled,
  joins,
  kindOf,
  transitions,
  type Verb,
  type WorkspaceState,
} from '../../../../api/rules/lifecycle';
import type { OperationContext, PlannedStep } from '../../operations/operation-context';
import type { Operations } from '../../operations/operations';
import { problemOf } from '../problem';
import type { EraseDeps } from '../erase';
import { refuseUnfilled } from '../fork/unfilled';
import { haltProblem } from '../halted';
import { settleReplacement } from '../replacement';
import { WorkspaceElsewhere } from '../target';

/** What verbs work with. */
export interface VerbDeps extends EraseDeps {
  operations: Operations;
  /** How long a recovery waits after each failed try. */
  recoverDelaysMs: readonly number[];
}

export interface VerbOptions {
  cancellable?: boolean;
  /** What it is expected to do, shown before it is done. */
  plan?: readonly PlannedStep[];
  /** The state after a failure, where the runtime does not say another one; absent: the one before. */
  onFailure?: WorkspaceState;
}

/**
 * Begins the verb's operation, or answers the one under way that leads to the same. Where nothing is to be done the
 * operation succeeds and changes nothing. Throws `not_found`, and `illegal_state` in words.
 */
export function runVerb(
  deps: VerbDeps,
  verb: Exclude<Verb, 'delete'>,
  name: string,
  work: (context: OperationContext) => Promise<WorkspaceState>,
  { cancellable = true, plan = [], onFailure }: VerbOptions = {},
): Operation {
  const { registry, operations, runtimes } = deps;
  const record = registry.get(name);
  refuseUnfilled(record);
  const before = record.state;
  const title = `${transitions[verb].title} workspace ${name}`;
  const begin = { kind: kindOf(verb), title, workspace: name, cancellable, plan };
  // One that has settled is past what it does, though its record is still written.
  const running = isSettled(before) ? [] : operations.runningOn(name);
  const underWay = running.find(({ kind }) => joins(verb, kind));
  if (underWay !== undefined) {
    return underWay;
  }
  if (!registry.begin(verb, name)) {
    return operations.startNoop(begin, () => lookAgain(deps, name));
  }
  return operations.start(begin, async (context) => {
    try {
      await runtimes.reach(registry.get(name));
      await registry.followSsh();
      // A rebuild whose old runtime could not be brought back at its end.
      await settleReplacement(deps, name);
      const state = await work(context);
      // A stop is no activity: idle steps that follow count from the last real use.
      await registry.settle(name, state, state === 'running' ? { lastUsedAt: now() } : {});
      return { state };
    } catch (error) {
      if (error instanceof WorkspaceElsewhere) {
        // Counts in memory, also when it can't be written.
        await registry.update(name, { state: before, stateDetail: error.message }).catch(() => undefined);
        throw error;
      }
      const isCancelled = context.signal.aborted || asBerthError(error).code === 'cancelled';
      await settleFailure(deps, verb, name, onFailure ?? before, isCancelled ? undefined : error);
      throw error;
    }
  });
}

/**
 * What was last seen is no answer while the runtime can't be reached, or when somebody has just started or stopped it:
 * nothing was done then, and that must not be said. Who starts what runs wants to use it.
 */
async function lookAgain({ registry, runtimes }: VerbDeps, name: string): Promise<void> {
  const seen = await (await runtimes.reach(registry.get(name))).inspect();
  const { state } = registry.get(name);
  if (isRuntimeState(state) && seen !== undefined && seen.state !== state) {
    throw new BerthError(
      'illegal_state',
      `Workspace ${name} has just changed: it is ${seen.state}, no longer ${state}.`,
      {
        hint: 'Try again.',
      },
    );
  }
  if (state === 'running') {
    await registry.update(name, { lastUsedAt: now() });
  }
}

/** The state is read from the runtime: after a failure only that is known. `error`: undefined when it was cancelled. */
async function settleFailure(
  { registry, runtimes }: VerbDeps,
  verb: Verb,
  name: string,
  fallback: WorkspaceState,
  error: unknown,
): Promise<void> {
  const seen = await runtimes
    .of(registry.get(name))
    .inspect()
    .catch(() => null);
  const problem = problemOf(error, verb);
  const halt = haltProblem(seen ?? undefined);
  const isOthers = seen?.owner !== undefined || seen?.isUnmarked === true;
  const keepsFallback = seen === null || isOthers || !isRuntimeState(fallback);
  const state = halt !== undefined ? 'error' : keepsFallback ? fallback : (seen?.state ?? 'stopped');
  const startedAt = state === 'stopped' ? { startedAt: undefined } : {};
  const why = halt ?? (error === undefined ? undefined : problem);
  await registry.settle(name, state, { ...startedAt, problem: why, stateDetail: seen?.detail });
}

const now = (): string => new Date().toISOString();
