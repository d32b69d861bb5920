/** One workspace gets the files of another one, and can have back what it had. */
import { asBerthError, fromErrorBody } from '../../../../api/errors';
import type { KeepResult } from '../../../../api/operations/fork';
import type { Operation } from '../../../../api/operations/schemas';
import { isLive } from '../../../../api/rules/lifecycle';
import { bodyOf } from '../../../../api/rules/results';
import type { Driver } from '../../../drivers/driver';
import type { Log } from '../../../machine/log';
import { inBytes } from '../../images/image-progress';
import { untilItEnds, type OperationContext } from '../../operations/operation-context';
import type { Operations } from '../../operations/operations';
import type { Snapshots } from '../../snapshots/snapshots';
import type { WorkspaceRecord } from '../record';
import type { WorkspaceRegistry } from '../registry';
import type { Runtimes } from '../runtime-handle';
import type { WorkspaceVerbs } from '../verbs';
import type { ForkBases } from './bases';
import { dropForkImage, imageOfOwn } from './fork-image';

export interface TakeOverDeps {
  registry: WorkspaceRegistry;
  runtimes: Runtimes;
  operations: Operations;
  snapshots: Snapshots;
  verbs: WorkspaceVerbs;
  bases: ForkBases;
  log: Log;
}

/** A volume of the source, and the fork's that takes its place. */
export interface Pair {
  volume: string;
  of: string;
}

export interface TakeOverPlan {
  fork: WorkspaceRecord;
  /** Running or stopped; held, as the fork is: `WorkspaceRegistry.hold`. */
  source: WorkspaceRecord;
  pairs: readonly Pair[];
  /** It is deleted afterwards: what it wrote meanwhile would be lost. */
  isForkToStop: boolean;
}

type Taken = Pick<KeepResult, 'before' | 'imageBefore'>;

export class TakeOver {
  constructor(private readonly deps: TakeOverDeps) {}

  /** All of it or, as far as that can be done, nothing. */
  async run(plan: TakeOverPlan, context: OperationContext): Promise<Taken> {
    const { fork, source, isForkToStop } = plan;
    const stops = isForkToStop && isLive(fork.state);
    if (stops) {
      await this.stop(fork.name, context);
    }
    try {
      return await this.ofStopped(plan, context);
    } catch (error) {
      if (stops) {
        await this.start(fork.name, context);
      }
      throw error;
    } finally {
      await this.deps.registry.update(source.name, { taking: undefined });
    }
  }

  private async ofStopped({ fork, source, pairs }: TakeOverPlan, context: OperationContext): Promise<Taken> {
    const { snapshots, registry, runtimes, bases } = this.deps;
    const kept = new Map<string, string>();
    const own = await imageOfOwn(this.deps, registry.get(fork.name), context);
    const image = own ?? (fork.spec.image === source.spec.image ? undefined : fork.spec.image);
    const letGo = bases.hold(image === undefined ? [] : [image]);
    try {
      for (const { of } of pairs) {
        const keep = () => snapshots.keep(of, 'fork', context);
        kept.set(of, await context.step(`snapshot ${of}`, `Keep ${of} as it is now`, keep));
      }
      const replace = () => this.replace(source, { pairs, kept, image, fork: fork.name }, context);
      return await this.whileStopped(source, replace, context);
    } finally {
      letGo();
      if (own !== undefined) {
        await dropForkImage(this.deps, runtimes.of(fork).driver, own);
      }
      for (const id of kept.values()) {
        await snapshots.dropForked(id);
      }
    }
  }

  /** Of a source that is stopped. */
  private async replace(
    source: WorkspaceRecord,
    {
      pairs,
      kept,
      image,
      fork,
    }: { pairs: readonly Pair[]; kept: ReadonlyMap<string, string>; image: string | undefined; fork: string },
    context: OperationContext,
  ): Promise<Taken> {
    const { registry } = this.deps;
    const taking = { fork, before: [] };
    await registry.update(source.name, { taking });
    if (image === undefined) {
      return { before: await this.fillAll(source.name, pairs, kept, context) };
    }
    const imageBefore = await this.rebuildOn(source.name, image, context);
    try {
      return { before: await this.fillAll(source.name, pairs, kept, context), imageBefore };
    } catch (error) {
      const back = (): Promise<void> => this.rebuild(source.name, imageBefore, atEase(context));
      await back().catch((left: unknown) => {
        context.warn(
          `${source.name} is made of ${image}: ${asBerthError(left).message} What it had is in the image ${imageBefore}.`,
        );
      });
      throw error;
    }
  }

  /** Answers the image to go back to: it stays as long as the workspace, or until the next one. */
  private async rebuildOn(name: string, image: string, context: OperationContext): Promise<string> {
    const { registry, runtimes } = this.deps;
    const { driver } = runtimes.of(registry.get(name));
    const earlier = registry.get(name).keptImage;
    const own = await imageOfOwn(this.deps, registry.get(name), context, { purpose: 'before' });
    await (own === undefined ? undefined : this.requireUsable(driver, own, context));
    const imageBefore = own ?? registry.get(name).spec.image;
    const { taking } = registry.get(name);
    await registry.update(name, {
      keptImage: imageBefore,
      ...(taking !== undefined && { taking: { ...taking, imageBefore } }),
    });
    try {
      await context.step('rebuild', 'Take over what it has outside of volumes', () =>
        this.rebuild(name, image, context),
      );
    } catch (error) {
      await registry.update(name, { keptImage: earlier });
      await (own === undefined ? undefined : dropForkImage(this.deps, driver, own));
      throw error;
    }
    await (earlier === undefined ? undefined : dropForkImage(this.deps, driver, earlier));
    return imageBefore;
  }

  /** Before that which it is of goes: an image of which nothing can be made is none. */
  private async requireUsable(driver: Driver, image: string, context: OperationContext): Promise<void> {
    try {
      await driver.images.prepare?.(image, inBytes(context), context.signal);
    } catch (error) {
      await dropForkImage(this.deps, driver, image);
      throw error;
    }
  }

  private async rebuild(name: string, image: string, context: OperationContext): Promise<void> {
    const { registry, verbs } = this.deps;
    const begin = () => verbs.rebuild(name, { image, confirm: true });
    await this.follow(await registry.pass(name, begin), context);
  }

  /** One that ran runs again, whatever becomes of the work; that it does not start is no reason to forget what was done. */
  private async whileStopped<T>(
    { name, state }: WorkspaceRecord,
    work: () => Promise<T>,
    context: OperationContext,
  ): Promise<T> {
    if (!isLive(state)) {
      return work();
    }
    await this.stop(name, context);
    try {
      return await work();
    } finally {
      await this.start(name, context);
    }
  }

  private async stop(name: string, context: OperationContext): Promise<void> {
    const { registry, verbs } = this.deps;
    await context.step(`stop ${name}`, 'Stop', async () =>
      this.follow(await registry.pass(name, () => verbs.stop(name)), context),
    );
  }

  /** That it does not start is a warning. */
  async start(name: string, context: OperationContext): Promise<void> {
    const { registry, verbs } = this.deps;
    try {
      await this.follow(await registry.pass(name, () => verbs.start(name)), context);
    } catch (error) {
      context.warn(`${name} did not start again: ${asBerthError(error).message}`);
    }
  }

  /** All of them or, as far as that can be done, none. */
  private async fillAll(
    name: string,
    pairs: readonly Pair[],
    kept: ReadonlyMap<string, string>,
    context: OperationContext,
  ): Promise<KeepResult['before']> {
    const { snapshots, registry } = this.deps;
    const before: KeepResult['before'] = [];
    try {
      for (const { volume, of } of pairs) {
        const from = { volume: of, id: kept.get(of) ?? '' };
        const fill = () => snapshots.fill(volume, from, true, context);
        const snapshot = await context.step(`fill ${volume}`, `Copy the files of ${of}`, fill);
        before.push({ volume, snapshot: snapshot ?? '' });
        const { taking } = registry.get(name);
        await registry.update(name, { taking: taking && { ...taking, before: [...before] } });
      }
      return before;
    } catch (error) {
      for (const { volume, snapshot } of before) {
        const back = { volume, id: snapshot };
        await snapshots.fill(volume, back, false, atEase(context)).catch((left: unknown) => {
          context.warn(
            `${volume} has the files of the fork: ${asBerthError(left).message} What it had is the snapshot ${snapshot}.`,
          );
        });
      }
      throw error;
    }
  }

  /** An operation of its own, which this one waits for. Throws its error. */
  async follow({ id }: Operation, context: OperationContext): Promise<void> {
    const ended = await this.deps.operations.wait(id, untilItEnds);
    ended.warnings.forEach((text) => context.warn(text));
    if (ended.status !== 'succeeded') {
      throw fromErrorBody(bodyOf(ended));
    }
  }
}

/** To go back with, when the operation is cancelled. */
function atEase(context: OperationContext): OperationContext {
  return { ...context, signal: new AbortController().signal, step: (_name, _title, run) => run() };
}
