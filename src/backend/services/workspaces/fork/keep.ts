/**
 * Keeps a fork: its source gets all files of it. What the source had is kept first, as snapshots and an image, so that all of it
 * can be undone; forks are deleted only when everything is there.
 */
import { asBerthError, BerthError } from '../../../../api/errors';
import { runningOn } from '../../../../api/rules/holder';
import type { KeepResult } from '../../../../api/operations/fork';
import type { Operation } from '../../../../api/operations/schemas';
import { isLive, isUsable, notWhile, refuseProtected } from '../../../../api/rules/lifecycle';
import { isForkOf } from '../../../../api/workspaces/fork-of';
import type { ForkOrigin, KeepRequest } from '../../../../api/workspaces/fork';
import type { TrashBin } from '../../trash/trash-bin';
import { sideBySide } from '../../../machine/side-by-side';
import type { OperationContext } from '../../operations/operation-context';
import type { Operations } from '../../operations/operations';
import type { WorkspaceRecord } from '../record';
import type { Runtimes } from '../runtime-handle';
import { isBase } from './fork-base';
import { isCopied } from './fork-spec';
import { TakeOver, type Pair, type TakeOverDeps } from './take-over';
import { refuseUnfilled } from './unfilled';

export interface KeepDeps extends TakeOverDeps {
  runtimes: Runtimes;
  operations: Operations;
  bin: Pick<TrashBin, 'isUncertain'>;
}

type Fork = WorkspaceRecord & { forkedFrom: ForkOrigin };

const cutOff = 'take-over-cut-off';
/** Forks that are deleted at the same time. */
const atOnce = 3;

export class Keeping {
  private readonly takeOver: TakeOver;

  constructor(private readonly deps: KeepDeps) {
    this.takeOver = new TakeOver(deps);
  }

  /** Removes what a killed engine has left of forks, and says of workspaces whose engine was killed in the middle of it how they come to what they had. */
  async load(): Promise<void> {
    const { registry, snapshots, bin } = this.deps;
    // Of a record that can't be read nobody knows what it began with.
    if (registry.setAside.length === 0 && !bin.isUncertain) {
      void snapshots.sweepForked((id) => isBase(this.deps, id));
    }
    for (const { name, taking } of registry.all()) {
      if (taking !== undefined) {
        const back = [
          ...taking.before.map(({ volume, snapshot }) => `berth snapshot restore ${volume} ${snapshot}`),
          ...(taking.imageBefore === undefined
            ? []
            : [`berth rebuild ${name} --image ${taking.imageBefore}`]),
        ];
        const undo = back.length === 0 ? 'Nothing had been changed yet.' : `To undo: ${back.join('; ')}.`;
        const message = `The engine ended while it took over the files of ${taking.fork}, and may have a part of them. Keep that one again, or go back. ${undo}`;
        await registry.update(name, { taking: undefined });
        await registry.warn(name, { code: cutOff, message });
      }
    }
  }

  /** Throws `illegal_state` for what is no fork, or can't be read or written now, and `not_found` when its source is gone. */
  keep(name: string, request: KeepRequest): Operation {
    const { registry, operations } = this.deps;
    const fork = this.forkOf(name);
    const source = registry.get(fork.forkedFrom.workspace);
    this.refuseState(fork, source);
    const toDelete = request.delete ?? [];
    toDelete.forEach((each) => this.refuseStranger(each, source));
    const title = `Take the files of ${name} over to ${source.name}`;
    const holds = this.holdAll([source.name, name], title);
    const begin = { kind: 'workspace.keep', title, workspace: source.name } as const;
    return operations.start(begin, async (context) => {
      try {
        return await this.perform(fork, source, toDelete, context);
      } finally {
        holds.forEach((letGo) => letGo());
      }
    });
  }

  private holdAll(names: readonly string[], what: string): (() => void)[] {
    const holds: (() => void)[] = [];
    try {
      names.forEach((name) => holds.push(this.deps.registry.hold(name, what)));
      return holds;
    } catch (error) {
      holds.forEach((letGo) => letGo());
      throw error;
    }
  }

  private async perform(
    fork: Fork,
    source: WorkspaceRecord,
    toDelete: readonly string[],
    context: OperationContext,
  ): Promise<KeepResult> {
    const { registry, runtimes } = this.deps;
    await runtimes.reach(source);
    await runtimes.reach(fork);
    const { pairs, left } = pairsOf(fork, source);
    left.forEach((text) => context.warn(text));
    await this.refuseInUse(pairs, source);
    const isToGo = toDelete.includes(fork.name);
    const isDeleted = isToGo && left.length === 0 && fork.protected !== true;
    const taken = await this.takeOver.run({ fork, source, pairs, isForkToStop: isDeleted }, context);
    await registry.update(source.name, { warnings: withoutCutOff(registry.get(source.name)) });
    const why = left.length > 0 && isToGo ? `Not all of it was taken over: ${left.join(' ')}` : undefined;
    const going = why === undefined ? toDelete : toDelete.filter((each) => each !== fork.name);
    const { deleted, notDeleted } = await this.deleteAll(going, fork.name, context);
    if (isDeleted && isLive(fork.state) && registry.find(fork.name) !== undefined) {
      await this.takeOver.start(fork.name, context);
    }
    const spared =
      why === undefined
        ? []
        : [{ workspace: fork.name, error: new BerthError('illegal_state', why).toBody() }];
    return { workspace: source.name, ...taken, deleted, notDeleted: [...spared, ...notDeleted] };
  }

  private forkOf(name: string): Fork {
    const record = this.deps.registry.get(name);
    const { forkedFrom } = record;
    if (forkedFrom === undefined) {
      throw new BerthError('illegal_state', `Workspace ${name} is no fork of another one.`, {
        ...{ field: 'name', hint: 'Name a fork: `berth info` says of which workspace it was made.' },
      });
    }
    const source = this.deps.registry.find(forkedFrom.workspace);
    if (source === undefined || !isForkOf(record, source)) {
      const which = source === undefined ? '' : 'an earlier ';
      throw new BerthError(
        'not_found',
        `${name} is a fork of ${which}${forkedFrom.workspace}, which is gone.`,
        {
          hint: `Go on with ${name}: it has all files.`,
        },
      );
    }
    return { ...record, forkedFrom };
  }

  private refuseState(fork: WorkspaceRecord, source: WorkspaceRecord): void {
    for (const each of [fork, source]) {
      refuseUnfilled(each);
    }
    if (!isUsable('fork', fork.state)) {
      throw notWhile(fork.state, fork.name, "its files can't be taken over");
    }
    if (!isUsable('takeOver', source.state)) {
      throw notWhile(source.state, source.name, "it can't take over files");
    }
    refuseProtected('rebuild', source);
  }

  private refuseStranger(name: string, source: WorkspaceRecord): void {
    if (!isForkOf(this.deps.registry.get(name), source)) {
      throw new BerthError('bad_request', `${name} is no fork of ${source.name}: it is not deleted.`, {
        field: 'delete',
      });
    }
  }

  /** Before anything is stopped. */
  private async refuseInUse(pairs: readonly Pair[], source: WorkspaceRecord): Promise<void> {
    const { driver, name } = this.deps.runtimes.of(source);
    for (const { volume } of pairs) {
      const found = await driver.volumes.inspect(volume);
      const holders = (found?.holders ?? []).filter(
        ({ runtime, state }) => runtime !== name && state !== 'stopped',
      );
      if (found !== undefined && holders.length > 0) {
        throw runningOn({ name: volume, kind: found.kind, holders });
      }
    }
  }

  /** The one that was `taken` over has nothing more; the others are kept in the trash. */
  private async deleteAll(
    names: readonly string[],
    taken: string,
    context: OperationContext,
  ): Promise<Pick<KeepResult, 'deleted' | 'notDeleted'>> {
    const { registry, verbs } = this.deps;
    const deleted: string[] = [];
    const notDeleted: KeepResult['notDeleted'] = [];
    await sideBySide(names, atOnce, async (name) => {
      try {
        await context.step(`delete ${name}`, `Delete workspace ${name}`, async () =>
          this.takeOver.follow(
            await registry.pass(name, () => verbs.delete(name, { now: name === taken })),
            context,
          ),
        );
        deleted.push(name);
      } catch (thrown) {
        const error = asBerthError(thrown);
        context.warn(`${name} was not deleted: ${error.message}`);
        notDeleted.push({ workspace: name, error: error.toBody() });
      }
    });
    return { deleted, notDeleted };
  }
}

/** What takes the place of what, and what of the fork has no place in its source, in words. */
function pairsOf(fork: Fork, source: WorkspaceRecord): { pairs: Pair[]; left: string[] } {
  const written = new Set((source.spec.mounts ?? []).filter(isCopied).map((mount) => mount.source));
  const copies = fork.forkedFrom.volumes ?? [];
  const pairs = [
    { volume: source.homeVolume, of: fork.homeVolume },
    ...copies
      .filter(({ copyOf }) => written.has(copyOf))
      .map(({ volume, copyOf }) => ({ volume: copyOf, of: volume })),
  ];
  const left = [
    ...copies
      .filter(({ copyOf }) => !written.has(copyOf))
      .map(
        ({ volume, copyOf }) => `${source.name} does not write to ${copyOf}: ${volume} is not taken over.`,
      ),
    ...(fork.dockerVolume === undefined
      ? []
      : [`What the Docker inside of ${fork.name} has (${fork.dockerVolume}) is not taken over.`]),
  ];
  return { pairs, left };
}

const withoutCutOff = ({ warnings }: WorkspaceRecord): WorkspaceRecord['warnings'] =>
  warnings.filter(({ code }) => code !== cutOff);
