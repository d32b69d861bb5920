/** Puts workspaces and volumes into the trash, before they are deleted. */
import { asBerthError, BerthError, fromErrorBody } from '../../../api/errors';
import type { Operation } from '../../../api/operations/schemas';
import { bodyOf, resultOf } from '../../../api/rules/results';
import { ownerWords } from '../../../api/rules/owner';
import { canHaveSnapshots } from '../../../api/snapshots/possible';
import { ownVolumesOf } from '../../../api/workspaces/own-volumes';
import type { Volume } from '../../../api/volumes/schemas';
import type { Log } from '../../machine/log';
import type { SnapshotRecords } from '../../store/snapshot-records';
import { untilItEnds, type OperationContext } from '../operations/operation-context';
import type { Operations } from '../operations/operations';
import type { Snapshots } from '../snapshots/snapshots';
import type { Volumes } from '../volumes/volumes';
import { imageOfOwn } from '../workspaces/fork/fork-image';
import type { WorkspaceRecord } from '../workspaces/record';
import type { Runtimes } from '../workspaces/runtime-handle';
import type { LeavingVolumes } from './leaving-volumes';
import type { TrashBin } from './trash-bin';

export interface ThrowingAwayDeps {
  bin: TrashBin;
  snapshots: Pick<Snapshots, 'keep'>;
  snapshotRecords: SnapshotRecords;
  runtimes: Runtimes;
  volumes: Volumes;
  leaving: LeavingVolumes;
  operations: Operations;
  log: Log;
}

/** What a delete has put into the trash: it counts when `commit` has resolved, or is as if it had never been. */
export interface Thrown {
  id: string;
  commit(): Promise<void>;
  undo(): Promise<void>;
  /** In any case, at the end: its volumes can be opened again. `isUndecided`: what is to become of it is for the next engine. */
  release(isUndecided?: boolean): void;
}

export class ThrowingAway {
  constructor(private readonly deps: ThrowingAwayDeps) {}

  /** Whether a delete of that workspace is to be kept. */
  takes({ temporary, isUnfilled, replaced }: WorkspaceRecord): boolean {
    return (
      this.deps.bin.isOn && temporary !== true && isUnfilled !== true && replaced?.adoption === undefined
    );
  }

  /** That item, where it is there. */
  has(id: string | undefined): string | undefined {
    return id !== undefined && this.deps.bin.has(id) ? id : undefined;
  }

  /** Whether something of it is nowhere but in the item that a delete has made which failed half-way: another one would be without that. */
  async keepsTheOnly(record: WorkspaceRecord): Promise<boolean> {
    const id = this.has(record.toTrash);
    if (id === undefined) {
      return false;
    }
    const { image, volumes } = this.deps.bin.get(id);
    const runtime = this.deps.runtimes.of(record);
    if (image !== undefined && (await runtime.inspect()) === undefined) {
      return true;
    }
    for (const { volume } of volumes) {
      if ((await runtime.driver.volumes.inspect(volume)) === undefined) {
        return true;
      }
    }
    return false;
  }

  /**
   * Of a workspace whose runtime does not run. Throws what kept it out of the trash, with the command that deletes for
   * good.
   */
  async workspace(record: WorkspaceRecord, context: OperationContext): Promise<Thrown> {
    const { name, label, tags, favourite, spec, cloned, homeVolume, dockerVolume, forkedFrom, keptImage } =
      record;
    const { secretNames: secrets = [], ...kept } = spec;
    const thrown = await this.begin(ownVolumesOf(record), {
      ...{ kind: 'workspace', name },
      workspace: {
        ...{ label, spec: kept, cloned, homeVolume },
        ...(dockerVolume !== undefined && { dockerVolume }),
        ...(tags !== undefined && { tags }),
        ...(favourite !== undefined && { favourite }),
        ...(forkedFrom !== undefined && { forkedFrom }),
        ...(keptImage !== undefined && { keptImage }),
      },
      ...(secrets.length > 0 && { notKept: [`The values of its secrets: ${secrets.join(', ')}.`] }),
    });
    try {
      // One after the other: each is held against the room that is left, and its writers are held still for it.
      await this.ownFiles(thrown.id, record, context);
      const { volumes } = this.deps.runtimes.of(record).driver;
      for (const volume of ownVolumesOf(record)) {
        const found = await volumes.inspect(volume);
        await (found === undefined
          ? this.lose(thrown.id, `The files of ${volume}: there was no such volume.`)
          : this.volumeOf(thrown.id, found, context));
      }
      return thrown;
    } catch (error) {
      await thrown.undo();
      thrown.release();
      throw forGood(error, `berth delete ${name} --now`);
    }
  }

  /**
   * Deletes a volume, for good where the trash is off or `now` says so. Throws `not_supported` for files that can't be
   * kept, and what keeping or deleting it failed with.
   */
  async volume(
    name: string,
    force: boolean,
    now: boolean,
  ): Promise<{ deleted: boolean; trash?: string | undefined }> {
    const { bin, volumes, operations } = this.deps;
    if (now || !bin.isOn) {
      return volumes.delete(name, force);
    }
    const volume = await volumes.deletable(name, force);
    if (!canHaveSnapshots(volume)) {
      throw new BerthError('not_supported', `The files of ${name} can't be kept in the trash.`, {
        hint: `Delete it for good: \`berth volume delete ${name} --now\`.`,
      });
    }
    const begin = {
      kind: 'volume.delete',
      title: `Delete volume ${name}`,
      volume: name,
      cancellable: false,
    } as const;
    const started: Operation = operations.start(begin, (context) => this.throwVolume(volume, force, context));
    const ended = await operations.wait(started.id, untilItEnds);
    if (ended.status !== 'succeeded') {
      throw fromErrorBody(bodyOf(ended));
    }
    return { deleted: true, trash: resultOf(ended, 'volume.delete').trash };
  }

  private async throwVolume(volume: Volume, force: boolean, context: OperationContext) {
    const { name } = volume;
    const thrown = await this.begin([name], { kind: 'volume', name });
    try {
      await this.volumeOf(thrown.id, volume, context).catch((error: unknown) => {
        throw forGood(error, `berth volume delete ${name} --now`);
      });
      await context.step('volume', `Delete volume ${name}`, () => this.deps.volumes.delete(name, force));
      await thrown.commit();
      return { deleted: [name], trash: thrown.id };
    } catch (error) {
      // What is gone stays in the trash.
      const isThere = await this.deps.volumes.get(name, false).then(
        () => true,
        (failure: unknown) => asBerthError(failure).code !== 'not_found',
      );
      await (isThere ? thrown.undo() : undefined);
      throw error;
    } finally {
      thrown.release();
    }
  }

  private async begin(volumes: readonly string[], made: Parameters<TrashBin['begin']>[0]): Promise<Thrown> {
    const { bin, leaving, log } = this.deps;
    const reopen = leaving.close(volumes);
    try {
      const { id } = await bin.begin(made);
      return {
        id,
        commit: () => bin.keep(id),
        undo: () =>
          bin.drop(id).catch((error: unknown) => {
            log.warn({ err: error, item: id }, 'what was made for the trash stays until the next look');
          }),
        release: (isUndecided = false) => {
          if (!isUndecided) {
            bin.making.delete(id);
          }
          reopen();
        },
      };
    } catch (error) {
      reopen();
      throw forGood(error, `berth ${made.kind === 'volume' ? 'volume ' : ''}delete ${made.name} --now`);
    }
  }

  private async volumeOf(id: string, found: Volume, context: OperationContext): Promise<void> {
    const { bin, snapshots, snapshotRecords } = this.deps;
    const { name, kind, sizeMiB, labels, owner } = found;
    if (owner !== undefined) {
      await this.lose(id, `The files of ${name}: the volume belongs to ${ownerWords(owner)}.`);
      return;
    }
    if (!canHaveSnapshots(found)) {
      await this.lose(id, `What ${name} has: images, containers and volumes of the Docker inside.`);
      return;
    }
    const keep = () => snapshots.keep(name, 'trash', context);
    const snapshot = await context.step(`trash ${name}`, `Keep ${name} in the trash`, keep);
    const usedBytes = snapshotRecords.get(snapshot)?.usedBytes ?? 0;
    const own = Object.entries(labels).filter(([key]) => !/^(berth|workspace)\./.test(key));
    const kept = {
      ...{ volume: name, kind, snapshot, usedBytes },
      ...(sizeMiB !== undefined && { sizeMiB }),
      ...(own.length > 0 && { labels: Object.fromEntries(own) }),
    };
    await bin.update(id, ({ volumes }) => ({ volumes: [...volumes, kept] }));
  }

  /** As an image; that it can't be is no reason to keep the workspace. */
  private async ownFiles(id: string, record: WorkspaceRecord, context: OperationContext): Promise<void> {
    const { bin } = this.deps;
    try {
      await imageOfOwn(this.deps, { ...record, state: 'stopped' }, context, {
        purpose: 'trash',
        begin: async (image) => {
          await bin.update(id, { image });
        },
      });
    } catch (error) {
      const { code, message } = asBerthError(error);
      if (code === 'no_space') {
        throw error;
      }
      await bin.update(id, { image: undefined });
      await this.lose(id, `What it has outside of its volumes: ${message}`);
    }
  }

  private async lose(id: string, what: string): Promise<void> {
    await this.deps.bin.update(id, ({ notKept = [] }) => ({ notKept: [...notKept, what] }));
  }
}

/** What it can be deleted by nevertheless. */
function forGood(error: unknown, command: string): BerthError {
  const { code, message, hint, field, detail } = asBerthError(error);
  return new BerthError(code, `It can't be kept in the trash: ${message}`, {
    hint: [hint, `To delete it for good: \`${command}\`.`].filter((each) => each !== undefined).join(' '),
    ...(field !== undefined && { field }),
    ...(detail !== undefined && { detail }),
    cause: error,
  });
}
