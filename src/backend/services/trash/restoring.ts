/** Has what is in the trash back: whole, under a name that is free, or not at all. */
import { asBerthError, BerthError, fromErrorBody, type ErrorCode } from '../../../api/errors';
import type { Operation } from '../../../api/operations/schemas';
import type { TrashEmpty, TrashEmptyResult } from '../../../api/trash/schemas';
import { bodyOf } from '../../../api/rules/results';
import { homeVolumeOf } from '../../../api/rules/home-volume';
import type { Log } from '../../machine/log';
import type { ProtectedVolumes } from '../../store/protected-volumes';
import type { TrashRecord, TrashedWorkspace } from '../../store/trash-records';
import type { Drivers } from '../engine/drivers';
import { inBytes } from '../images/image-progress';
import type { EventHub } from '../operations/event-hub';
import { untilItEnds, type OperationContext } from '../operations/operation-context';
import type { Operations } from '../operations/operations';
import type { Snapshots } from '../snapshots/snapshots';
import { refuseGuardedVolume } from '../volumes/protection';
import type { Volumes } from '../volumes/volumes';
import type { WorkspaceCreator } from '../workspaces/create';
import { noteMade, type Filling } from '../workspaces/filling';
import { dockerVolumeOf, type WorkspaceRecord } from '../workspaces/record';
import type { WorkspaceRegistry } from '../workspaces/registry';
import { startSteps } from '../workspaces/start/start-steps';
import type { WorkspaceVerbs } from '../workspaces/verbs';
import type { TrashBin } from './trash-bin';

export interface RestoringDeps {
  bin: TrashBin;
  drivers: Drivers;
  registry: WorkspaceRegistry;
  operations: Operations;
  snapshots: Pick<Snapshots, 'fill'>;
  volumes: Pick<Volumes, 'shown'>;
  guarded: ProtectedVolumes;
  verbs: Pick<WorkspaceVerbs, 'delete'>;
  creator: Pick<WorkspaceCreator, 'createFilled'>;
  events: EventHub;
  log: Log;
}

const hourMs = 3_600_000;
/** Whoever makes room, or waits, has all of it back. */
const passing: readonly ErrorCode[] = ['no_space', 'runtime_unavailable', 'capacity', 'cancelled', 'in_use'];

export class Restoring {
  constructor(private readonly deps: RestoringDeps) {}

  /** When workspaces have been looked at: takes back what restores have begun that were cut off. Never fails. */
  async load(): Promise<void> {
    const { bin, log } = this.deps;
    for (const { id } of bin.list()) {
      await bin
        .inTurn(id, () => this.settle(id))
        .catch((error: unknown) => {
          log.warn({ err: error, item: id }, 'a restore that was cut off is not taken back');
        });
    }
  }

  /** Stopped. Throws `not_found`, and `exists` for a name that is taken. */
  restore(id: string, wanted?: string): Operation {
    const { bin, operations } = this.deps;
    const { kind, name } = bin.get(id);
    const target = wanted ?? name;
    this.refuseTaken(id, kind, target);
    const of = kind === 'workspace' ? { workspace: target } : { volume: target };
    const begin = {
      kind: 'trash.restore',
      title: `Restore ${kind} ${target} from the trash`,
      ...of,
    } as const;
    return operations.start(begin, async (context) => {
      // One at a time makes something of that name.
      await bin.inTurn(`${kind} ${target}`, () =>
        bin.inTurn(id, async () => {
          await this.settle(id);
          await this.perform(bin.get(id), target, context);
          await this.finish(bin.get(id), target).then(
            (left) => left && context.warn(left),
            (error: unknown) =>
              context.warn(`What the trash has of it is not removed yet: ${asBerthError(error).message}`),
          );
        }),
      );
      return { kind, restored: target };
    });
  }

  /** Removes for good: all, or those that are named. */
  empty({ items, olderThanHours = 0 }: TrashEmpty): Operation {
    const { bin, operations } = this.deps;
    items?.forEach((id) => bin.get(id));
    const before = Date.now() - olderThanHours * hourMs;
    const going = bin
      .list()
      .filter(({ id, deletedAt }) => (items?.includes(id) ?? true) && Date.parse(deletedAt) <= before);
    return operations.start({ kind: 'trash.empty', title: 'Empty the trash' }, async (context) => {
      const result: TrashEmptyResult = { removed: [], failed: [] };
      for (const [done, item] of going.entries()) {
        context.signal.throwIfAborted();
        context.progress({ unit: 'steps', done, total: going.length });
        try {
          await bin.remove(item, 'asked for');
          result.removed.push(item.id);
        } catch (error) {
          const body = asBerthError(error).toBody();
          context.warn(`${item.name} was not removed: ${body.message}`);
          result.failed.push({ item: item.id, error: body });
        }
      }
      return result;
    });
  }

  private refuseTaken(id: string, kind: TrashRecord['kind'], name: string): void {
    if (kind === 'workspace' && this.deps.registry.find(name) !== undefined) {
      throw taken(id, `a workspace ${name}`);
    }
  }

  private async perform(record: TrashRecord, target: string, context: OperationContext): Promise<void> {
    const { bin, drivers } = this.deps;
    const { id, kind, workspace } = record;
    this.refuseTaken(id, kind, target);
    const names = workspace === undefined ? [target] : [homeVolumeOf(target), ...copiesOf(workspace)];
    for (const name of names) {
      if ((await drivers.findVolume(name)) !== undefined) {
        throw taken(id, `a volume ${name}`);
      }
    }
    await bin.update(id, { restoring: { name: target } });
    try {
      await (workspace === undefined
        ? this.volume(record, target, context)
        : this.workspace(record, workspace, target, context));
    } catch (error) {
      await this.settle(id).catch((left: unknown) => {
        context.warn(`What was restored of it is not taken back: ${asBerthError(left).message}`);
      });
      throw error;
    }
  }

  private async volume(
    { id, volumes: [kept] }: TrashRecord,
    target: string,
    context: OperationContext,
  ): Promise<void> {
    const { bin, drivers, snapshots, volumes: all, events } = this.deps;
    if (kept === undefined) {
      throw new BerthError('internal', 'The trash has no files of this volume.');
    }
    const { volumes } = drivers.ofVolumeKind(kept.kind);
    const { sizeMiB, labels } = kept;
    const made = await volumes.create({
      ...{ name: target, kind: kept.kind },
      ...(sizeMiB !== undefined && { sizeMiB }),
      ...(labels !== undefined && { labels }),
    });
    await bin.update(id, {
      restoring: { name: target, ...(made.id !== undefined && { made: made.id }) },
    });
    events.publish('volume.changed', all.shown(made));
    const from = { volume: kept.volume, id: kept.snapshot };
    await context.step('fill', `Copy the files of ${target}`, () =>
      snapshots.fill(target, from, false, context),
    );
  }

  private async workspace(
    record: TrashRecord,
    { label, tags, favourite, spec, keptImage }: TrashedWorkspace,
    target: string,
    context: OperationContext,
  ): Promise<void> {
    const { creator, operations, registry } = this.deps;
    const { ports = [], ...rest } = spec;
    const { image, notKept } = await this.imageOf(record, spec, context);
    const begun = await creator.createFilled(
      {
        ...{ name: target, ports: ports.map(({ guest }) => ({ guest })), start: false },
        ...{ label: label === record.name ? target : label },
        ...(tags !== undefined && { tags }),
      },
      { ...rest, image },
      this.fillingOf(record, target),
    );
    const cancel = (): void => void operations.cancel(begun.id);
    context.signal.addEventListener('abort', cancel, { once: true });
    const ended = await operations.wait(begun.id, untilItEnds);
    context.signal.removeEventListener('abort', cancel);
    ended.warnings.forEach((text) => context.warn(text));
    if (ended.status !== 'succeeded') {
      throw fromErrorBody(bodyOf(ended));
    }
    await registry.update(target, {
      ...(favourite !== undefined && { favourite }),
      ...(keptImage !== undefined && { keptImage }),
    });
    for (const text of notKept) {
      context.warn(`Not restored: ${text}`);
    }
    if (notKept.length > 0) {
      const message = `It was restored from the trash without: ${notKept.join(' ')}`;
      await registry.warn(target, { code: 'not-kept', message });
    }
  }

  /** What it is made of, and what is not restored. The item stays when its image is not used: it may be had back later. */
  private async imageOf(
    { id, image, notKept = [] }: TrashRecord,
    spec: TrashedWorkspace['spec'],
    context: OperationContext,
  ): Promise<{ image: string; notKept: readonly string[] }> {
    const why = image === undefined ? undefined : await this.whyUnusable(image, spec, context);
    if (why === undefined) {
      return { image: image ?? spec.image, notKept };
    }
    await this.deps.bin.update(id, ({ restoring }) => ({
      restoring: restoring && { ...restoring, withoutImage: true },
    }));
    return { image: spec.image, notKept: [...notKept, `What it had outside of its volumes: ${why}`] };
  }

  /** It may have been removed behind our back, or be damaged: that is no reason to keep back the files of volumes. */
  private async whyUnusable(
    image: string,
    spec: TrashedWorkspace['spec'],
    context: OperationContext,
  ): Promise<string | undefined> {
    const { images } = this.deps.drivers.of(spec);
    if ((await images.resolve(image)) === undefined) {
      return `the image ${image} is not there any more.`;
    }
    const prepare = async () => images.prepare?.(image, inBytes(context), context.signal);
    try {
      await (images.prepare && context.step(startSteps.prepare.name, startSteps.prepare.title, prepare));
      return undefined;
    } catch (error) {
      const { code, message } = asBerthError(error);
      if (context.signal.aborted || passing.includes(code)) {
        throw error;
      }
      return message;
    }
  }

  private fillingOf(item: TrashRecord, target: string): Filling {
    const { id, volumes, workspace } = item;
    const { registry, drivers, snapshots } = this.deps;
    const fill = async (to: string, from: string, context: OperationContext): Promise<void> => {
      const kept = volumes.find(({ volume }) => volume === from);
      await (kept && snapshots.fill(to, { volume: from, id: kept.snapshot }, false, context));
    };
    const { cloned = false, forkedFrom } = workspace ?? {};
    return {
      what: 'restore',
      record: {
        cloned,
        fromTrash: id,
        ...(forkedFrom !== undefined && { forkedFrom: { ...forkedFrom, volumes: [] } }),
      },
      makeVolumes: async (context) => {
        const made: NonNullable<typeof forkedFrom>['volumes'] = [];
        for (const copy of forkedFrom?.volumes ?? []) {
          const kept = volumes.find(({ volume }) => volume === copy.volume);
          if (kept === undefined || forkedFrom === undefined) {
            continue;
          }
          await drivers.ofVolumeKind(kept.kind).volumes.create({ name: copy.volume });
          made.push(copy);
          await noteMade(registry, target, copy.volume, {
            forkedFrom: { ...forkedFrom, volumes: [...made] },
          });
          await fill(copy.volume, copy.volume, context);
        }
      },
      fill: async (context) => {
        const record = registry.get(target);
        const copies = workspace === undefined ? [] : copiesOf(workspace);
        for (const { volume } of volumes.filter((each) => !copies.includes(each.volume))) {
          const to = filledFrom(item, volume, record);
          await (to === undefined ? undefined : fill(to, volume, context));
        }
      },
    };
  }

  /** When all of it is there. Answers why the item stays nevertheless, in words. */
  private async finish(item: TrashRecord, name: string): Promise<string | undefined> {
    const { bin, registry } = this.deps;
    const { id, workspace, volumes } = item;
    const record = workspace === undefined ? undefined : registry.get(name);
    const left =
      record === undefined
        ? []
        : volumes
            .filter(({ volume }) => filledFrom(item, volume, record) === undefined)
            .map(({ volume }) => volume);
    if (item.restoring?.withoutImage === true) {
      left.push('what it had outside of its volumes');
    }
    await (record?.fromTrash === id ? registry.update(name, { fromTrash: undefined }) : undefined);
    if (left.length > 0) {
      await bin.update(id, { restoring: undefined });
    } else {
      await bin.drop(id, true);
    }
    return left.length === 0 ? undefined : `Not restored, and still in the trash: ${left.join(', ')}.`;
  }

  /** Of a restore that was cut off: nothing of it stays, unless all of it is there. */
  private async settle(id: string): Promise<void> {
    const { bin, registry, verbs, operations } = this.deps;
    const item = bin.get(id);
    const { restoring, workspace } = item;
    if (restoring === undefined) {
      return;
    }
    const { name, made } = restoring;
    const found = workspace === undefined ? undefined : registry.find(name);
    if (workspace === undefined) {
      await (made === undefined ? undefined : this.takeBackVolume(item, name, made));
    } else if (found?.fromTrash === id && found.isUnfilled !== true) {
      await this.finish(item, name);
      return;
    } else if (found?.fromTrash === id) {
      const begun = verbs.delete(name, { now: true });
      const ended = await operations.wait(begun.id, untilItEnds);
      if (ended.status !== 'succeeded') {
        throw fromErrorBody(bodyOf(ended));
      }
    }
    await bin.update(id, { restoring: undefined });
  }

  /** The one that this restore has made, as long as nobody has begun to use it. */
  private async takeBackVolume({ volumes: [kept] }: TrashRecord, name: string, made: string): Promise<void> {
    const { drivers, events, log } = this.deps;
    const { volumes } = drivers.ofVolumeKind(kept?.kind);
    const found = await volumes.inspect(name);
    if (found?.id !== made || !found.managed || found.holders.length > 0) {
      return;
    }
    try {
      refuseGuardedVolume(this.deps, found);
    } catch (error) {
      log.info({ err: error, volume: name }, 'what a restore has begun is protected by now, and stays');
      return;
    }
    await volumes.remove(name);
    events.publish('volume.deleted', { name });
  }
}

/** The volume of the restored workspace that gets the files of that one; undefined: it has none for them. */
function filledFrom(
  { name, workspace }: TrashRecord,
  volume: string,
  to: WorkspaceRecord,
): string | undefined {
  if (workspace === undefined || copiesOf(workspace).includes(volume)) {
    return volume;
  }
  return volume === workspace.homeVolume
    ? to.homeVolume
    : // Older versions have not noted it.
      volume === (workspace.dockerVolume ?? dockerVolumeOf(name))
      ? to.dockerVolume
      : undefined;
}

function taken(id: string, what: string): BerthError {
  return new BerthError('exists', `There is ${what} already.`, {
    field: 'name',
    hint: `Restore it under another name: \`berth trash restore ${id} --name NEW\`.`,
  });
}

const copiesOf = ({ forkedFrom }: TrashedWorkspace): string[] =>
  (forkedFrom?.volumes ?? []).map(({ volume }) => volume);
