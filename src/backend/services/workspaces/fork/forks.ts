/**
 * Forks: new workspaces with copies of another one's files, which may run meanwhile. All forks of one call begin with the
 * same snapshots, so they take from the source once, whatever their number; each is made by an operation of its own, and
 * fails for itself.
 */
import { asBerthError, BerthError } from '../../../../api/errors';
import type { Operation } from '../../../../api/operations/schemas';
import type { ForkOutcome, ForkResult } from '../../../../api/operations/fork';
import type { ForkOrigin, ForkRequest } from '../../../../api/workspaces/fork';
import { bodyOf, failureOf } from '../../../../api/rules/results';
import { isUsable, notWhile } from '../../../../api/rules/lifecycle';
import type { Log } from '../../../machine/log';
import { sideBySide } from '../../../machine/side-by-side';
import type { SecretStore } from '../../../store/secrets';
import type { Drivers } from '../../engine/drivers';
import { untilItEnds, type OperationContext } from '../../operations/operation-context';
import type { Operations } from '../../operations/operations';
import type { Snapshots } from '../../snapshots/snapshots';
import type { WorkspaceCreator } from '../create';
import { noteMade, type Filling } from '../filling';
import type { WorkspaceRecord } from '../record';
import type { WorkspaceRegistry } from '../registry';
import type { Runtimes } from '../runtime-handle';
import { freeForkNames, forkPlanOf, type ForkPlan } from './fork-spec';
import type { ForkBases } from './bases';
import { releaseBase, takeBase, type Base } from './take-base';
import { refuseUnfilled } from './unfilled';

export interface ForksDeps {
  registry: WorkspaceRegistry;
  runtimes: Runtimes;
  drivers: Drivers;
  operations: Operations;
  secrets: SecretStore;
  creator: Pick<WorkspaceCreator, 'createFilled'>;
  bases: ForkBases;
  snapshots: Snapshots;
  log: Log;
}

/** Forks that are made at the same time. */
const atOnce = 3;

export class Forks {
  /** Names of forks that are not on record yet. */
  private readonly coming = new Set<string>();

  constructor(private readonly deps: ForksDeps) {}

  /** Throws `illegal_state` in a state in which its files change unseen, `not_supported`, and `exists` for a name. */
  fork(name: string, request: ForkRequest): Operation {
    const { registry, operations, runtimes } = this.deps;
    const source = registry.get(name);
    if (!isUsable('fork', source.state)) {
      throw notWhile(source.state, name, "it can't be forked");
    }
    refuseUnfilled(source);
    const { driver } = runtimes.of(source);
    if (driver.volumes.snapshots === undefined) {
      throw new BerthError('not_supported', `Volumes of ${driver.kind}s can't be forked yet.`);
    }
    const isTaken = (each: string): boolean => this.coming.has(each) || registry.find(each) !== undefined;
    const names = request.names ?? freeForkNames(name, request.count ?? 1, isTaken);
    names.forEach((each) => this.refuseTaken(each));
    names.forEach((each) => this.coming.add(each));
    const title =
      names.length === 1 ? `Fork workspace ${name}` : `Fork workspace ${name} ${names.length} times`;
    return operations.start({ kind: 'workspace.fork', title, workspace: name }, async (context) => {
      try {
        await runtimes.reach(source);
        const base = await takeBase(this.deps, source, request, context);
        return await this.makeAll(base, names, request.start ?? true, context);
      } finally {
        names.forEach((each) => this.coming.delete(each));
      }
    });
  }

  private refuseTaken(name: string): void {
    this.deps.registry.refuseTaken(name);
    if (this.coming.has(name)) {
      throw new BerthError('exists', `A fork ${name} is being made.`, {
        field: 'names',
        hint: 'Choose another name.',
      });
    }
  }

  private async makeAll(
    base: Base,
    names: readonly string[],
    start: boolean,
    context: OperationContext,
  ): Promise<ForkResult> {
    const title = names.length === 1 ? 'Make the fork' : `Make ${names.length} forks`;
    const { notes } = forkPlanOf(base.source.spec, base.image, '');
    const letGo = this.deps.bases.hold([base.image, ...base.snapshots.values()]);
    try {
      const forks = await context.step('forks', title, () =>
        sideBySide(names, atOnce, (fork) => this.make(base, fork, start, context)),
      );
      context.signal.throwIfAborted();
      const failed = forks.filter((each) => !each.ok);
      const [first] = failed;
      if (first !== undefined && failed.length === names.length) {
        throw failureOf(first);
      }
      failed.forEach((each) => context.warn(`${each.workspace} was not made: ${each.error.message}`));
      return { forks, ...(notes.length > 0 && { notes }) };
    } finally {
      letGo();
      await releaseBase(this.deps, base);
    }
  }

  private async make(
    base: Base,
    fork: string,
    start: boolean,
    context: OperationContext,
  ): Promise<ForkOutcome> {
    const { creator, operations } = this.deps;
    try {
      context.signal.throwIfAborted();
      const { source } = base;
      const plan = forkPlanOf(source.spec, base.image, fork);
      const secrets = await this.secretsOf(source);
      const { tags, label, name } = source;
      const begun = await creator.createFilled(
        {
          ...{ name: fork, ports: plan.ports, start },
          ...(label !== name && { label: `${label} (${fork})` }),
          ...(tags !== undefined && { tags }),
          ...(secrets !== undefined && { secrets }),
        },
        plan.spec,
        this.fillingOf(base, fork, plan),
      );
      const cancel = (): void => void operations.cancel(begun.id);
      context.signal.addEventListener('abort', cancel, { once: true });
      if (context.signal.aborted) {
        cancel();
      }
      const ended = await operations.wait(begun.id, untilItEnds);
      context.signal.removeEventListener('abort', cancel);
      ended.warnings.forEach((text) => context.warn(`${fork}: ${text}`));
      return ended.status === 'succeeded'
        ? { ok: true, workspace: fork }
        : { ok: false, workspace: fork, error: bodyOf(ended) };
    } catch (error) {
      return { ok: false, workspace: fork, error: asBerthError(error).toBody() };
    }
  }

  private fillingOf({ source, snapshots, at }: Base, fork: string, plan: ForkPlan): Filling {
    const { registry, runtimes, snapshots: all } = this.deps;
    const idOf = (volume: string): string => snapshots.get(volume) ?? '';
    const forkedFrom: ForkOrigin = { workspace: source.name, at, snapshot: idOf(source.homeVolume) };
    const fill = (volume: string, from: string, context: OperationContext): Promise<unknown> =>
      all.fill(volume, { volume: from, id: idOf(from) }, false, context);
    return {
      record: { cloned: source.cloned, forkedFrom },
      makeVolumes: async (context) => {
        const { volumes } = runtimes.of(source).driver;
        const copies: { volume: string; copyOf: string }[] = [];
        await sideBySide(plan.copies, atOnce, async ({ from, to }) => {
          await this.refuseThere(to);
          await volumes.create({ name: to });
          // Not before: what is on record goes with the fork, and one of that name may be somebody's.
          copies.push({ volume: to, copyOf: from });
          await noteMade(registry, fork, to, { forkedFrom: { ...forkedFrom, volumes: [...copies] } });
          await fill(to, from, context);
        });
      },
      fill: async (context) => {
        await fill(registry.get(fork).homeVolume, source.homeVolume, context);
      },
    };
  }

  private async refuseThere(volume: string): Promise<void> {
    if ((await this.deps.drivers.findVolume(volume)) !== undefined) {
      throw new BerthError('exists', `There is a volume ${volume} already: it would be written over.`, {
        field: 'names',
        hint: 'Choose another name for the fork.',
      });
    }
  }

  private async secretsOf({ name, spec }: WorkspaceRecord): Promise<Record<string, string> | undefined> {
    const { secretNames = [] } = spec;
    return secretNames.length === 0 ? undefined : this.deps.secrets.values(name, secretNames);
  }
}
