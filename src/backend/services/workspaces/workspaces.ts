/** The verbs of workspaces: each checks the state, begins its operation, and settles the record. */
import { BerthError, asBerthError } from '../../../api/errors';
import { checkImage, imageMissing } from '../../../api/rules/image-reference';
import type { Operation } from '../../../api/operations/schemas';
import type {
  Limits,
  PublishedPort,
  Workspace,
  WorkspacePatch,
  WorkspaceState,
} from '../../../api/workspaces/schemas';
import { refuseUnsupported } from '../../drivers/contract/support';
import type { Driver } from '../../drivers/driver';
import type { PortLedger } from '../../ssh/ports';
import { KeyedLock } from '../../machine/keyed-lock';
import { changeVariables } from '../../store/variables';
import { haltProblem, isHalted } from './halted';
import { prepareImage } from '../images/image-progress';
import {
  isRuntimeState,
  isSettled,
  joins,
  kindOf,
  mayBegin,
  transitions,
  type Verb,
} from '../../../api/rules/lifecycle';
import { changeLimits } from './limits';
import type { OperationContext } from '../operations/operation-context';
import type { Operations } from '../operations/operations';
import { noteOwnFiles } from './own-files';
import { changePorts } from './start/published-ports';
import { retrying } from './retries';
import { tellOfWaiting } from './waiting-changes';
import { eraseWorkspace, type EraseParts } from './erase';
import { runtimeNameOf, type WorkspaceRecord } from './record';
import { refuseUnconfirmed, replaceRuntime, settleReplacement, type RebuildRequest } from './rebuild';
import type { StartOptions } from './start/runtime-preparation';
import { checkCredentials } from '../../inside/target';

export const stopGraceMs = 10_000;
export const recoverDelaysMs: readonly number[] = [5_000, 30_000, 120_000];

export interface WorkspacesParts extends EraseParts {
  operations: Operations;
  ports: PortLedger;
  /** How long to wait after each failed try. */
  recoverDelaysMs: readonly number[];
}

export class Workspaces {
  private readonly updates = new KeyedLock();

  constructor(private readonly parts: WorkspacesParts) {}

  list(): Workspace[] {
    const { registry } = this.parts;
    return registry.all().map((record) => registry.show(record));
  }

  get(name: string): Workspace {
    const { registry } = this.parts;
    return registry.show(registry.get(name));
  }

  start(name: string, options: StartOptions = {}): Operation {
    const record = this.parts.registry.get(name);
    const wasPaused = record.state === 'paused' || isHalted(record);
    return this.run('start', name, async (context) => {
      if (wasPaused) {
        await this.parts.starter.resume(name, context);
        return 'running';
      }
      return this.startOrStop(name, context, options);
    });
  }

  stop(name: string): Operation {
    return this.run('stop', name, () => this.stopRuntime(name), { cancellable: false });
  }

  restart(name: string, options: StartOptions = {}): Operation {
    return this.run('restart', name, async (context) => {
      await this.parts.starter.checkVolumes(name, options.acceptEmpty ?? false);
      await context.step('stop', 'Stop', () => this.stopRuntime(name));
      return this.startOrStop(name, context, options);
    });
  }

  pause(name: string): Operation {
    const work = async (): Promise<WorkspaceState> => {
      await this.driver(name).pause(runtimeNameOf(name));
      return 'paused';
    };
    return this.run('pause', name, work, { cancellable: false });
  }

  resume(name: string): Operation {
    const work = async (context: OperationContext): Promise<WorkspaceState> => {
      await this.parts.starter.resume(name, context);
      return 'running';
    };
    return this.run('resume', name, work, { cancellable: false });
  }

  /** Ends what runs. The runtime's own files stay where they are: nothing but a delete or a rebuild removes them. */
  archive(name: string): Operation {
    const work = async (context: OperationContext): Promise<WorkspaceState> => {
      await context.step('stop', 'Stop', () => this.stopRuntime(name));
      await context.step('measure', 'Measure what stays', () =>
        noteOwnFiles(this.parts, this.driver(name), name, context),
      );
      return 'archived';
    };
    return this.run('archive', name, work, { cancellable: false });
  }

  restore(name: string, options: StartOptions = {}): Operation {
    const work = (context: OperationContext): Promise<WorkspaceState> =>
      this.startOrStop(name, context, options);
    return this.run('restore', name, work, { onFailure: 'archived' });
  }

  /** At most three tries, with growing pauses between them. A runtime that is there keeps its own files. */
  recover(name: string, options: StartOptions = {}): Operation {
    // Nothing is broken: it goes on with all that is in its memory.
    if (isHalted(this.parts.registry.get(name))) {
      return this.resume(name);
    }
    const work = async (context: OperationContext): Promise<WorkspaceState> => {
      await retrying(this.parts.recoverDelaysMs, context, async () => {
        await this.parts.starter.checkVolumes(name, options.acceptEmpty ?? false);
        // What is wrong inside is not known: it begins anew.
        await this.stopRuntime(name);
        await this.parts.starter.start(name, context, options);
      });
      return 'running';
    };
    return this.run('recover', name, work, { onFailure: 'error' });
  }

  /** Image and consent are looked for first: until both are there, nothing changes. */
  async rebuild(name: string, request: RebuildRequest = {}): Promise<Operation> {
    const { registry, starter, log } = this.parts;
    const { spec: before, state } = registry.get(name);
    const wanted = request.image ?? before.image;
    checkImage(wanted, before.runtime);
    mayBegin('rebuild', state, name);
    if ((await this.driver(name).images.resolve(wanted)) === undefined) {
      throw imageMissing(wanted);
    }
    if (request.confirm !== true) {
      await refuseUnconfirmed(name, this.driver(name), log);
    }
    const isToRun = registry.get(name).state !== 'stopped';
    const { acceptEmpty = false } = request;
    return this.run('rebuild', name, async (context) => {
      await prepareImage(this.driver(name), wanted, context);
      await starter.checkVolumes(name, acceptEmpty);
      await context.step('stop', 'Stop', () => this.stopRuntime(name));
      try {
        await replaceRuntime(this.parts, name, { image: wanted, isToRun, acceptEmpty }, context);
      } catch (error) {
        const isBack = registry.get(name).replaced === undefined;
        await (isToRun && isBack ? this.startAgain(name, context) : undefined);
        throw error;
      }
      return isToRun ? 'running' : 'stopped';
    });
  }

  /** What ran before goes on, if it can; the first error is the one that tells. */
  private async startAgain(name: string, context: OperationContext): Promise<void> {
    await (context.signal.aborted ? undefined : this.startOrStop(name, context).catch(() => undefined));
  }

  /** With its home and Docker volumes, unless told to keep them. Named volumes stay always. */
  delete(name: string, keepVolumes: boolean): Operation {
    const { registry, operations } = this.parts;
    const before = registry.get(name).state;
    const underWay = isSettled(before) ? [] : operations.idsOf(name);
    if (underWay.length === 0) {
      registry.begin('delete', name);
    }
    return operations.start(
      { kind: 'workspace.delete', title: `Delete workspace ${name}`, workspace: name, cancellable: false },
      async (context) => {
        if (underWay.length > 0) {
          await context.step('cancel', 'End what is under way', () => operations.end(underWay));
          if (registry.find(name) === undefined) {
            return { deleted: [] };
          }
          registry.begin('delete', name);
        }
        return this.erase(name, keepVolumes, context, isSettled(before) ? before : 'stopped');
      },
    );
  }

  /** Also called at start, for a delete that was cut off. */
  erase(
    name: string,
    keepVolumes: boolean,
    context: OperationContext,
    before: WorkspaceState = 'error',
  ): Promise<{ deleted: string[] }> {
    return eraseWorkspace(this.parts, this.driver(name), { name, keepVolumes, before }, context);
  }

  /** One change after the other: what one has read, no other may have changed when it is written. */
  update(name: string, patch: WorkspacePatch): Promise<Workspace> {
    return this.updates.run(name, () => this.change(name, patch));
  }

  private async change(name: string, patch: WorkspacePatch): Promise<Workspace> {
    const { registry, secrets } = this.parts;
    const record = registry.get(name);
    refuseTemporary(record);
    checkCredentials(patch.credentialFiles);
    const { label, secrets: secretValues, limits: changed, ports: wanted, env: variables, ...spec } = patch;
    const env = variables && changeVariables(record.spec.env ?? {}, variables, 'env');
    const limits = changed === undefined ? undefined : changeLimits(record.spec.limits, changed);
    if (limits !== undefined && record.runtimeId !== undefined) {
      await this.applyLimits(name, limits);
    }
    const secretNames = secretValues === undefined ? undefined : await secrets.put(name, secretValues);
    const ports = wanted === undefined ? undefined : await this.changePorts(name, wanted);
    const next = await registry.change(name, {
      ...(label !== undefined && { label }),
      // Its time begins now: what was idle under another policy, or none, says nothing.
      ...(patch.idle !== undefined && { lastUsedAt: new Date().toISOString() }),
      spec: {
        ...registry.get(name).spec,
        ...spec,
        ...(env !== undefined && { env }),
        ...(ports !== undefined && { ports }),
        ...(limits !== undefined && { limits }),
        ...(secretNames !== undefined && { secretNames }),
      },
    });
    return registry.show(next);
  }

  driver(name: string): Driver {
    return this.parts.starter.driverOf(this.parts.registry.get(name));
  }

  async startOrStop(
    name: string,
    context: OperationContext,
    options: StartOptions = {},
  ): Promise<WorkspaceState> {
    try {
      await this.parts.starter.start(name, context, options);
      return 'running';
    } catch (error) {
      // Half-started is worse than stopped: the next start begins from a known place.
      await this.driver(name)
        .stop(runtimeNameOf(name), 0)
        .catch(() => undefined);
      throw error;
    }
  }

  private async stopRuntime(name: string): Promise<WorkspaceState> {
    const { killed } = await this.driver(name).stop(runtimeNameOf(name), stopGraceMs);
    const { registry } = this.parts;
    const others = registry.get(name).warnings.filter((warning) => warning.code !== 'killed');
    const note = {
      code: 'killed',
      message: `It did not stop within ${stopGraceMs / 1000} s and was killed.`,
    };
    await registry.update(name, { startedAt: undefined, warnings: killed ? [...others, note] : others });
    return 'stopped';
  }

  private async applyLimits(name: string, limits: Limits): Promise<void> {
    const waiting = await this.driver(name).setLimits(runtimeNameOf(name), limits);
    await tellOfWaiting(this.parts.registry, name, 'limits', waiting);
  }

  private async changePorts(name: string, wanted: readonly PublishedPort[]): Promise<PublishedPort[]> {
    const { spec, runtimeId } = this.parts.registry.get(name);
    refuseUnsupported({ ...spec, ports: wanted }, this.driver(name));
    return changePorts(this.parts.ports, name, { wanted, before: spec.ports }, async (ports) => {
      if (runtimeId !== undefined) {
        const { needsRebuild } = await this.driver(name).setPorts(runtimeNameOf(name), ports);
        // What was to wait for a rebuild may be taken back.
        const others = this.parts.registry.get(name).warnings.filter(({ code }) => code !== 'ports');
        await this.parts.registry.update(name, { warnings: others });
        await tellOfWaiting(this.parts.registry, name, 'ports', { needsRebuild });
      }
    });
  }

  /** The frame of every verb: check, in-between state, operation, settled state. */
  private run(
    verb: Verb,
    name: string,
    work: (context: OperationContext) => Promise<WorkspaceState>,
    options: { cancellable?: boolean; onFailure?: WorkspaceState } = {},
  ): Operation {
    const { registry, operations } = this.parts;
    const before = registry.get(name).state;
    const begin = {
      kind: kindOf(verb),
      title: `${transitions[verb].title} workspace ${name}`,
      workspace: name,
      cancellable: options.cancellable ?? true,
    };
    // One that has settled is past what it does, though its record is still written.
    const running = isSettled(before) ? [] : operations.runningOn(name);
    const underWay = running.find(({ kind }) => joins(verb, kind));
    if (underWay !== undefined) {
      return underWay;
    }
    if (!registry.begin(verb, name)) {
      // What was last seen is no answer while the runtime can't be reached.
      return operations.nothing(begin, async () => {
        await this.driver(name).inspect(runtimeNameOf(name));
        // Who starts what runs wants to use it.
        if (registry.get(name).state === 'running') {
          await registry.update(name, { lastUsedAt: new Date().toISOString() });
        }
      });
    }
    return operations.start(begin, async (context) => {
      try {
        await registry.followSsh();
        // A rebuild whose old runtime could not be brought back at its end.
        await settleReplacement(this.parts, name);
        const state = await work(context);
        // Stopping is no use of it: idle steps that follow count from the last real one.
        await registry.settle(
          name,
          state,
          state === 'running' ? { lastUsedAt: new Date().toISOString() } : {},
        );
        return { state };
      } catch (error) {
        const cancelled = context.signal.aborted || asBerthError(error).code === 'cancelled';
        await this.settleFailure(verb, name, options.onFailure ?? before, cancelled ? undefined : error);
        throw error;
      }
    });
  }

  /** The state is read from the runtime: after a failure only that is known. */
  private async settleFailure(
    verb: Verb,
    name: string,
    fallback: WorkspaceState,
    /** undefined: cancelled, which is no problem. */
    error: unknown,
  ): Promise<void> {
    const { registry } = this.parts;
    const seen = await this.driver(name)
      .inspect(runtimeNameOf(name))
      .catch(() => null);
    const { code, message, hint } = asBerthError(error);
    const problem = { code, message, step: verb, ...(hint !== undefined && { hint }) };
    const halt = haltProblem(seen ?? undefined);
    const isOthers = seen?.owner !== undefined || seen?.isUnmarked === true;
    const keepsFallback = seen === null || isOthers || !isRuntimeState(fallback);
    const state = halt !== undefined ? 'error' : keepsFallback ? fallback : (seen?.state ?? 'stopped');
    const startedAt = state === 'stopped' ? { startedAt: undefined } : {};
    const why = halt ?? (error === undefined ? undefined : problem);
    await registry.settle(name, state, { ...startedAt, problem: why, stateDetail: seen?.detail });
  }
}

/** Who changes one means to keep it, and would lose it all the same. */
function refuseTemporary({ name, temporary }: WorkspaceRecord): void {
  if (temporary === true) {
    throw new BerthError(
      'illegal_state',
      `Workspace ${name} is temporary: it is deleted when the command that made it ends.`,
      { hint: 'Create one that stays: `berth create NAME`.' },
    );
  }
}
