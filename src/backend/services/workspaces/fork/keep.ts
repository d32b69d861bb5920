/**
 * Keeps a fork: its source gets all files of it. What the source had is kept first, as snapshots and an image, so that all of it can be
 * undone; forks are deleted only when everything is there.
 */
import { asBerthError, BerthError, fromErrorBody } from '../../../../api/errors';
import type { KeepResult } from '../../../../api/operations/fork';
import type { Operation } from '../../../../api/operations/schemas';
import { isLive, isUsable, notWhile } from '../../../../api/rules/lifecycle';
import { runningOn } from '../../../../api/rules/holder';
import { bodyOf } from '../../../../api/rules/results';
import { isForkOf } from '../../../../api/workspaces/fork-of';
import type { ForkOrigin, KeepRequest } from '../../../../api/workspaces/fork';
import type { Log } from '../../../machine/log';
import { untilItEnds, type OperationContext } from '../../operations/operation-context';
import type { Operations } from '../../operations/operations';
import type { Snapshots } from '../../snapshots/snapshots';
import type { WorkspaceRecord } from '../record';
import type { WorkspaceRegistry } from '../registry';
import type { Runtimes } from '../runtime-handle';
import type { WorkspaceVerbs } from '../verbs';
import { dropForkImage, imageOfOwn } from './fork-image';
import { refuseUnfilled } from './unfilled';

export interface KeepDeps {
  registry: WorkspaceRegistry;
  runtimes: Runtimes;
  operations: Operations;
  snapshots: Snapshots;
  verbs: WorkspaceVerbs;
  log: Log;
}

type Fork = WorkspaceRecord & { forkedFrom: ForkOrigin };

/** A volume of the source, and the fork's that takes its place. */
interface Pair {
  volume: string;
  of: string;
}

export class Keeping {
  constructor(private readonly deps: KeepDeps) {}

  /** Throws `illegal_state` for what is no fork, or can't be read or written now, and `not_found` when its source is gone. */
  keep(name: string, request: KeepRequest): Operation {
    const { registry, operations, runtimes } = this.deps;
    const fork = this.forkOf(name);
    const source = registry.get(fork.forkedFrom.workspace);
    for (const each of [fork, source]) {
      refuseUnfilled(each);
      if (!isUsable('fork', each.state)) {
        throw notWhile(each.state, each.name, 'files can not be taken over');
      }
    }
    const toDelete = request.delete ?? [];
    toDelete.forEach((each) => this.refuseStranger(each, source));
    const begin = {
      kind: 'workspace.keep',
      title: `Take the files of ${name} over to ${source.name}`,
      workspace: source.name,
    } as const;
    return operations.start(begin, async (context) => {
      await runtimes.reach(source);
      await runtimes.reach(fork);
      const taken = await this.takeOver(fork, source, context);
      return { workspace: source.name, ...taken, ...(await this.deleteAll(toDelete, context)) };
    });
  }

  private forkOf(name: string): Fork {
    const record = this.deps.registry.get(name);
    const { forkedFrom } = record;
    if (forkedFrom === undefined) {
      throw new BerthError('illegal_state', `Workspace ${name} is no fork of another one.`, {
        field: 'name',
      });
    }
    const source = this.deps.registry.find(forkedFrom.workspace);
    if (source === undefined || !isForkOf(record, source)) {
      throw new BerthError('not_found', `${name} is a fork of ${source === undefined ? '' : 'an earlier '}${forkedFrom.workspace}, which is gone.`, {
        hint: `Go on with ${name}: it has all files.`,
      });
    }
    return { ...record, forkedFrom };
  }

  private refuseStranger(name: string, source: WorkspaceRecord): void {
    if (!isForkOf(this.deps.registry.get(name), source)) {
      throw new BerthError('bad_request', `${name} is no fork of ${source.name}: it is not deleted.`, {
        field: 'delete',
      });
    }
  }

  private async takeOver(
    fork: Fork,
    source: WorkspaceRecord,
    context: OperationContext,
  ): Promise<Pick<KeepResult, 'before' | 'imageBefore'>> {
    const { snapshots, runtimes } = this.deps;
    const pairs = this.pairsOf(fork, source, context);
    await this.refuseHeld(pairs, source);
    const kept = new Map<string, string>();
    let image: string | undefined;
    try {
      for (const { of } of pairs) {
        const keep = () => snapshots.keep(of, 'fork', context);
        kept.set(of, await context.step(`snapshot ${of}`, `Keep ${of} as it is now`, keep));
      }
      image = await imageOfOwn(this.deps, fork, context);
      return await this.whileStopped(source, context, () =>
        this.replace(source, pairs, kept, image, context),
      );
    } catch (error) {
      if (image !== undefined) {
        await dropForkImage(this.deps, runtimes.of(fork).driver, image);
      }
      throw error;
    } finally {
      for (const id of kept.values()) {
        await snapshots.dropForked(id);
      }
    }
  }

  /** Of a source that is stopped. */
  private async replace(
    source: WorkspaceRecord,
    pairs: readonly Pair[],
    kept: ReadonlyMap<string, string>,
    image: string | undefined,
    context: OperationContext,
  ): Promise<Pick<KeepResult, 'before' | 'imageBefore'>> {
    const { registry, verbs, runtimes } = this.deps;
    if (image === undefined) {
      return { before: await this.fillAll(pairs, kept, context) };
    }
    // As it is now: another one may have changed it meanwhile.
    const now = registry.get(source.name);
    const own = await imageOfOwn(this.deps, now, context);
    const rebuildOn = async (next: string): Promise<void> =>
      this.follow(await verbs.rebuild(source.name, { image: next, confirm: true }), context);
    try {
      await context.step('rebuild', 'Take over what it has outside of volumes', () => rebuildOn(image));
    } catch (error) {
      if (own !== undefined) {
        await dropForkImage(this.deps, runtimes.of(source).driver, own);
      }
      throw error;
    }
    await registry.update(source.name, { isIdentityCopied: true });
    const imageBefore = own ?? now.spec.image;
    try {
      return { before: await this.fillAll(pairs, kept, context), imageBefore };
    } catch (error) {
      await rebuildOn(imageBefore).catch((left: unknown) => {
        context.warn(
          `${source.name} is made of ${image}: ${asBerthError(left).message} What it had is in the image ${imageBefore}.`,
        );
      });
      throw error;
    }
  }

  /** One that ran runs again, whatever becomes of the work. */
  private async whileStopped<T>(
    { name, state }: WorkspaceRecord,
    context: OperationContext,
    work: () => Promise<T>,
  ): Promise<T> {
    if (!isLive(state)) {
      return work();
    }
    const { verbs } = this.deps;
    await context.step('stop', 'Stop', () => this.follow(verbs.stop(name), context));
    try {
      return await work();
    } finally {
      await context.step('start', 'Start', () => this.follow(verbs.start(name), context));
    }
  }

  /** Before anything is stopped. */
  private async refuseHeld(pairs: readonly Pair[], source: WorkspaceRecord): Promise<void> {
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

  private pairsOf(fork: Fork, source: WorkspaceRecord, context: OperationContext): Pair[] {
    const mounted = new Set((source.spec.mounts ?? []).map((mount) => mount.source));
    const copies = fork.forkedFrom.volumes ?? [];
    copies
      .filter(({ copyOf }) => !mounted.has(copyOf))
      .forEach(({ volume, copyOf }) => {
        context.warn(`${source.name} has no ${copyOf} any more: what is in ${volume} is not taken over.`);
      });
    return [
      { volume: source.homeVolume, of: fork.homeVolume },
      ...copies
        .filter(({ copyOf }) => mounted.has(copyOf))
        .map(({ volume, copyOf }) => ({ volume: copyOf, of: volume })),
    ];
  }

  /** All of them or, as far as that can be done, none. */
  private async fillAll(
    pairs: readonly Pair[],
    kept: ReadonlyMap<string, string>,
    context: OperationContext,
  ): Promise<KeepResult['before']> {
    const { snapshots } = this.deps;
    const before: KeepResult['before'] = [];
    try {
      for (const { volume, of } of pairs) {
        const from = { volume: of, id: kept.get(of) ?? '' };
        const fill = () => snapshots.fill(volume, from, true, context);
        const snapshot = await context.step(`fill ${volume}`, `Copy the files of ${of}`, fill);
        before.push({ volume, snapshot: snapshot ?? '' });
      }
      return before;
    } catch (error) {
      for (const { volume, snapshot } of before) {
        await snapshots.fill(volume, { volume, id: snapshot }, false, context).catch((left: unknown) => {
          context.warn(
            `${volume} has the files of the fork: ${asBerthError(left).message} What it had is the snapshot ${snapshot}.`,
          );
        });
      }
      throw error;
    }
  }

  private async deleteAll(
    names: readonly string[],
    context: OperationContext,
  ): Promise<Pick<KeepResult, 'deleted' | 'notDeleted'>> {
    const deleted: string[] = [];
    const notDeleted: KeepResult['notDeleted'] = [];
    for (const name of names) {
      try {
        await context.step(`delete ${name}`, `Delete workspace ${name}`, () =>
          this.follow(this.deps.verbs.delete(name), context),
        );
        deleted.push(name);
      } catch (thrown) {
        const error = asBerthError(thrown);
        context.warn(`${name} was not deleted: ${error.message}`);
        notDeleted.push({ workspace: name, error: error.toBody() });
      }
    }
    return { deleted, notDeleted };
  }

  /** An operation of its own, which this one waits for. */
  private async follow({ id }: Operation, context: OperationContext): Promise<void> {
    const { operations } = this.deps;
    const ended = await operations.wait(id, untilItEnds);
    ended.warnings.forEach((text) => context.warn(text));
    if (ended.status !== 'succeeded') {
      throw fromErrorBody(bodyOf(ended));
    }
  }
}
