/** Has what is in the trash back: whole, under a name that is free, or not at all. */
import { asBerthError, BerthError, fromErrorBody } from '../../../api/errors';
import type { Operation } from '../../../api/operations/schemas';
import type { TrashEmpty, TrashEmptyResult } from '../../../api/trash/schemas';
import { bodyOf } from '../../../api/rules/results';
import { homeVolumeOf } from '../../../api/rules/home-volume';
import type { Log } from '../../machine/log';
import type { TrashRecord, TrashedWorkspace } from '../../store/trash-records';
import type { Drivers } from '../engine/drivers';
import type { EventHub } from '../operations/event-hub';
import { untilItEnds, type OperationContext } from '../operations/operation-context';
import type { Operations } from '../operations/operations';
import type { Snapshots } from '../snapshots/snapshots';
import type { Volumes } from '../volumes/volumes';
import type { Filling, WorkspaceCreator } from '../workspaces/create';
import type { WorkspaceRegistry } from '../workspaces/registry';
import type { WorkspaceVerbs } from '../workspaces/verbs';
import type { TrashBin } from './trash-bin';

export interface RestoringDeps {
  bin: TrashBin;
  drivers: Drivers;
  registry: WorkspaceRegistry;
  operations: Operations;
  snapshots: Pick<Snapshots, 'fill'>;
  volumes: Pick<Volumes, 'shown'>;
  verbs: Pick<WorkspaceVerbs, 'delete'>;
  creator: Pick<WorkspaceCreator, 'createFilled'>;
  events: EventHub;
  log: Log;
}

const hourMs = 3_600_000;

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
      await bin.inTurn(id, async () => {
        await this.settle(id);
        const record = bin.get(id);
        await this.perform(record, target, context);
        await bin.drop(id);
      });
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
    // What has that name from now on was made by this restore.
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
    { volumes: [kept] }: TrashRecord,
    target: string,
    context: OperationContext,
  ): Promise<void> {
    const { drivers, snapshots, volumes: all, events } = this.deps;
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
    const begun = await creator.createFilled(
      {
        ...{ name: target, ports: ports.map(({ guest }) => ({ guest })), start: false },
        ...{ label: label === record.name ? target : label },
        ...(tags !== undefined && { tags }),
      },
      { ...rest, image: record.image ?? spec.image },
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
    for (const text of record.notKept ?? []) {
      context.warn(`Not restored: ${text}`);
    }
    if (record.notKept !== undefined) {
      const message = `It was restored from the trash without: ${record.notKept.join(' ')}`;
      await registry.warn(target, { code: 'not-kept', message });
    }
  }

  private fillingOf({ id, volumes, workspace }: TrashRecord, target: string): Filling {
    const { registry, drivers, snapshots } = this.deps;
    const fill = async (to: string, from: string, context: OperationContext): Promise<void> => {
      const kept = volumes.find(({ volume }) => volume === from);
      await (kept && snapshots.fill(to, { volume: from, id: kept.snapshot }, false, context));
    };
    const { cloned = false, forkedFrom, homeVolume = '' } = workspace ?? {};
    return {
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
          const { createdVolumes } = registry.get(target);
          await registry.update(target, {
            createdVolumes: [...createdVolumes, copy.volume],
            forkedFrom: { ...forkedFrom, volumes: [...made] },
          });
          await fill(copy.volume, copy.volume, context);
        }
      },
      fill: (context) => fill(registry.get(target).homeVolume, homeVolume, context),
    };
  }

  /** Of a restore that was cut off: nothing of it stays, unless all of it is there. */
  private async settle(id: string): Promise<void> {
    const { bin, registry, drivers, verbs, operations, events } = this.deps;
    const { restoring, workspace, volumes } = bin.get(id);
    if (restoring === undefined) {
      return;
    }
    const { name } = restoring;
    if (workspace === undefined) {
      const of = drivers.ofVolumeKind(volumes[0]?.kind).volumes;
      const found = await of.inspect(name);
      if (found?.managed === true && found.holders.length === 0) {
        await of.remove(name);
        events.publish('volume.deleted', { name });
      }
    } else if (registry.find(name)?.fromTrash === id) {
      const begun = verbs.delete(name, { now: true });
      const ended = await operations.wait(begun.id, untilItEnds);
      if (ended.status !== 'succeeded') {
        throw fromErrorBody(bodyOf(ended));
      }
    }
    await bin.update(id, { restoring: undefined });
  }
}

function taken(id: string, what: string): BerthError {
  return new BerthError('exists', `There is ${what} already.`, {
    field: 'name',
    hint: `Restore it under another name: \`berth trash restore ${id} --name NEW\`.`,
  });
}

const copiesOf = ({ forkedFrom }: TrashedWorkspace): string[] =>
  (forkedFrom?.volumes ?? []).map(({ volume }) => volume);
