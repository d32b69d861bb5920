/**
 * What was deleted and can be had back for a while: the files of volumes as snapshots, what was installed as an image, and
 * what the workspace was, but for its secrets. An item is there when all of it is, and its volumes are gone then. The image of a microVM is
 * its root disk as it was: what was put in at start (credential files) is left out of what is made of it, and in it until the item goes.
 */
import { randomBytes } from 'node:crypto';
import { asBerthError, BerthError } from '../../../api/errors';
import type { TrashItem } from '../../../api/trash/schemas';
import { KeyedLock } from '../../machine/keyed-lock';
import type { Log } from '../../machine/log';
import type { RemovalJournal } from '../../store/removal-journal';
import type { SnapshotRecords } from '../../store/snapshot-records';
import type { TrashRecord, TrashRecords } from '../../store/trash-records';
import type { TrashTime } from '../../store/trash-time';
import type { Drivers } from '../engine/drivers';
import type { Snapshots } from '../snapshots/snapshots';
import type { ForkBases } from '../workspaces/fork/bases';
import { dropForkBase } from '../workspaces/fork/fork-base';
import { dropForkImage } from '../workspaces/fork/fork-image';
import type { WorkspaceRegistry } from '../workspaces/registry';
import type { Clock } from '../../machine/clock';

const idBytes = 6;
const dayMs = 24 * 3_600_000;
/** Also how late one goes after its time, and how often what could not be removed is tried again. */
const lookEveryMs = 3_600_000;
const soonestLookMs = 1_000;

export interface TrashBinDeps {
  drivers: Drivers;
  registry: WorkspaceRegistry;
  trashRecords: TrashRecords;
  time: TrashTime;
  snapshotRecords: SnapshotRecords;
  snapshots: Pick<Snapshots, 'dropTrashed' | 'dropForked'>;
  bases: ForkBases;
  removals: RemovalJournal;
  /** How long something is kept; 0: nothing is. */
  trashDays: () => number;
  clock: Clock;
  log: Log;
}

type Made = Omit<TrashRecord, 'id' | 'deletedAt' | 'skippedMs' | 'state' | 'volumes'>;
type Patch = { [K in keyof TrashRecord]?: TrashRecord[K] | undefined };

export class TrashBin {
  private readonly lock = new KeyedLock();
  private readonly updates = new KeyedLock();
  /** What an item needs, though no workspace has it. */
  private readonly holds = new Map<string, () => void>();
  private isClosed = false;
  private stopWaiting: () => void = () => undefined;

  constructor(private readonly deps: TrashBinDeps) {}

  /** How long something is kept; 0: nothing is. */
  get days(): number {
    return this.deps.trashDays();
  }

  get isOn(): boolean {
    return this.days > 0;
  }

  /** Nobody knows what all items are made of. */
  get isUncertain(): boolean {
    return this.deps.trashRecords.hasUnreadable;
  }

  /** When workspaces and snapshots are known: reads what there is, and finishes what a killed engine had begun, without being waited for. */
  async load(): Promise<void> {
    const { trashRecords, log } = this.deps;
    try {
      for (const refused of await trashRecords.load()) {
        log.error(refused, 'an item of the trash is not listed');
      }
    } catch (error) {
      log.error({ err: error }, 'the trash was not looked through');
      trashRecords.hasUnreadable = true;
      return;
    }
    await this.deps.time.load().catch((error: unknown) => {
      log.warn({ err: error }, 'not known when the trash was looked at last');
    });
    const all = trashRecords.all();
    all.forEach((record) => this.hold(record));
    for (const { id, state, workspace, name } of all) {
      // Now: a delete that is finished leaves no record that says so.
      if (state === 'making' && workspace !== undefined && this.deps.registry.find(name)?.toTrash === id) {
        await this.update(id, { state: 'kept' }).catch((error: unknown) => {
          log.warn({ err: error, item: id }, 'an item of the trash is not noted as whole');
        });
      }
    }
    const orphans = this.orphans();
    void this.tidy(orphans).then(() => this.look());
  }

  close(): void {
    this.isClosed = true;
    this.stopWaiting();
  }

  /** Newest first. */
  list(): TrashItem[] {
    return this.deps.trashRecords
      .all()
      .flatMap((record) => (record.state === 'kept' ? [this.shown(record)] : []));
  }

  /** Throws `not_found`. */
  get(id: string): TrashRecord {
    const record = this.deps.trashRecords.get(id);
    if (record?.state !== 'kept') {
      throw new BerthError('not_found', `There is no ${id} in the trash.`, {
        ...{ field: 'item', hint: '`berth trash list` shows what there is.' },
      });
    }
    return record;
  }

  has(id: string): boolean {
    return this.deps.trashRecords.get(id)?.state === 'kept';
  }

  /** One thing at a time is done with an item. */
  inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
    return this.lock.run(id, work);
  }

  /** Begins an item: what is made for it is noted before. It is in `making` until its maker takes it out. */
  async begin(made: Made): Promise<TrashRecord> {
    const { clock, time } = this.deps;
    const id = randomBytes(idBytes).toString('hex');
    await this.count();
    const record: TrashRecord = {
      ...{ id, deletedAt: new Date(clock.now()).toISOString(), state: 'making', volumes: [] },
      skippedMs: time.skippedMs,
      ...made,
    };
    // Before anybody can see it.
    this.making.add(id);
    await this.deps.trashRecords.write(record).catch((error: unknown) => {
      this.making.delete(id);
      throw error;
    });
    this.hold(record);
    return record;
  }

  /** Also of one that is being made. Throws `not_found`. */
  peek(id: string): TrashRecord {
    const record = this.deps.trashRecords.get(id);
    if (record === undefined) {
      throw new BerthError('not_found', `There is no ${id} in the trash.`);
    }
    return record;
  }

  /**
   * A field given as undefined goes. One after the other: what a patch is made of is what the one before has left. Rejects
   * with `not_found` for one that is gone meanwhile.
   */
  update(id: string, patch: Patch | ((now: TrashRecord) => Patch)): Promise<TrashRecord> {
    return this.updates.run(id, async () => {
      const now = this.peek(id);
      const next = withoutUndefined({ ...now, ...(typeof patch === 'function' ? patch(now) : patch) });
      await this.deps.trashRecords.write(next);
      this.hold(next);
      return next;
    });
  }

  /** From now on it is there. */
  async keep(id: string): Promise<void> {
    await this.update(id, { state: 'kept' });
    this.schedule();
  }

  /** Of one that did not become an item, was restored, or is to go for good. `isRestored`: it is no item any more, whatever fails. */
  async drop(id: string, isRestored = false): Promise<void> {
    const { trashRecords, snapshots, drivers } = this.deps;
    const record = trashRecords.get(id);
    if (record === undefined) {
      return;
    }
    let isMarked = await this.markGoing(record);
    for (const [index, { snapshot }] of record.volumes.entries()) {
      try {
        await snapshots.dropTrashed(snapshot);
      } catch (error) {
        // Whole still: it can be had back.
        await (index === 0 && !isRestored ? this.update(id, { state: record.state }) : undefined);
        throw error;
      }
      // There is room for it now: a removal that is cut off is finished by the next engine.
      isMarked = isMarked || (await this.markGoing(record));
    }
    this.holds.get(id)?.();
    this.holds.delete(id);
    if (record.workspace !== undefined) {
      const { spec } = record.workspace;
      const driver = drivers.of(spec);
      await (record.image === undefined ? undefined : dropForkImage(this.deps, driver, record.image));
      await dropForkBase(this.deps, driver, record.workspace);
    }
    await trashRecords.remove(id);
  }

  /** The next look is when the oldest has had its time. */
  schedule(): void {
    this.stopWaiting();
    const { clock, trashRecords } = this.deps;
    const all = trashRecords.all();
    if (all.length === 0 || this.isClosed) {
      return;
    }
    const due = this.isOn ? Math.min(...all.map((each) => this.expiryOf(each))) - clock.now() : lookEveryMs;
    // What is late could not be removed.
    const wait = due <= 0 ? lookEveryMs : Math.min(lookEveryMs, Math.max(soonestLookMs, due));
    this.stopWaiting = clock.after(wait, () => this.look());
  }

  /** Items whose time is over. */
  expired(): TrashItem[] {
    const now = this.deps.clock.now();
    return this.isOn ? this.list().filter((item) => Date.parse(item.expiresAt ?? '') <= now) : [];
  }

  /** Removes one, and notes why. */
  async remove(item: TrashItem, reason: string): Promise<void> {
    await this.inTurn(item.id, async () => {
      if (!this.has(item.id)) {
        return;
      }
      await this.drop(item.id);
      const note = {
        what: 'trash',
        name: `${item.kind} ${item.name}`,
        bytes: item.usedBytes,
        reason,
      } as const;
      await this.deps.removals.note(note).catch((error: unknown) => {
        this.deps.log.warn({ err: error, ...note }, 'removed, and not noted in the journal');
      });
    });
  }

  /** Before what has expired is asked for. Never fails. */
  private async count(): Promise<void> {
    await this.deps.time.look().catch((error: unknown) => {
      this.deps.log.warn({ err: error }, 'not noted when the trash was looked at');
    });
  }

  private async look(): Promise<void> {
    await this.count();
    const over = 'its time in the trash is over';
    for (const item of this.expired()) {
      await this.remove(item, `deleted ${item.deletedAt}: ${over}`).catch((error: unknown) => {
        this.deps.log.warn({ err: error, item: item.id }, `an item of the trash stays, though ${over}`);
      });
    }
    await this.tidy([]);
    this.schedule();
  }

  /** false when the disk has no room for it. */
  private async markGoing(record: TrashRecord): Promise<boolean> {
    const { trashRecords } = this.deps;
    try {
      await trashRecords.write({ ...record, state: 'going' });
      return true;
    } catch (error) {
      // To remove it makes room. Until then it counts in memory.
      if (asBerthError(error).code !== 'no_space') {
        throw error;
      }
      return false;
    }
  }

  /** What a killed engine has begun, and snapshots of no item. Never fails. */
  private async tidy(orphans: readonly string[]): Promise<void> {
    const { trashRecords, snapshots, log } = this.deps;
    for (const { id, state } of trashRecords
      .all()
      .filter((each) => each.state !== 'kept' && !this.making.has(each.id))) {
      await this.inTurn(id, () => this.settle(id)).catch((error: unknown) => {
        log.warn({ err: error, item: id, state }, 'what was begun with an item of the trash is not finished');
      });
    }
    for (const id of orphans) {
      await snapshots.dropTrashed(id).catch((error: unknown) => {
        log.warn({ err: error, snapshot: id }, 'a snapshot of no item of the trash stays');
      });
    }
  }

  /** Those that this engine makes just now. */
  readonly making = new Set<string>();

  /** One that is on record as the trash of a delete is whole; so is a volume's when that is gone. */
  private async settle(id: string): Promise<void> {
    const record = this.deps.trashRecords.get(id);
    if (record === undefined || record.state === 'kept') {
      return;
    }
    const isWhole = record.state === 'making' && (await this.isWhole(record));
    await (isWhole ? this.update(id, { state: 'kept' }) : this.drop(id));
  }

  private async isWhole({ id, name, workspace, volumes }: TrashRecord): Promise<boolean> {
    const { registry, drivers } = this.deps;
    if (workspace !== undefined) {
      const record = registry.find(name);
      return record === undefined || record.toTrash === id;
    }
    const [volume] = volumes;
    return (
      volume !== undefined && (await drivers.ofVolumeKind(volume.kind).volumes.inspect(name)) === undefined
    );
  }

  /** Before this engine makes any. */
  private orphans(): string[] {
    const { trashRecords, snapshotRecords } = this.deps;
    if (this.isUncertain) {
      return [];
    }
    const known = new Set(
      trashRecords.all().flatMap(({ volumes }) => volumes.map(({ snapshot }) => snapshot)),
    );
    return snapshotRecords
      .all()
      .filter(({ id, reason }) => reason === 'trash' && !known.has(id))
      .map(({ id }) => id);
  }

  private hold({ id, image, workspace }: TrashRecord): void {
    const needed = [image, workspace?.spec.image, workspace?.keptImage, workspace?.forkedFrom?.snapshot];
    const before = this.holds.get(id);
    this.holds.set(id, this.deps.bases.hold(needed.filter((each) => each !== undefined)));
    before?.();
  }

  private expiryOf({ deletedAt, skippedMs = 0 }: Pick<TrashRecord, 'deletedAt' | 'skippedMs'>): number {
    const skipped = this.deps.time.skippedMs - skippedMs;
    return Date.parse(deletedAt) + this.deps.trashDays() * dayMs + skipped;
  }

  private shown(record: TrashRecord): TrashItem {
    const { state: _s, skippedMs: _m, workspace: _w, restoring: _r, volumes, ...item } = record;
    return {
      ...item,
      volumes: volumes.map(({ sizeMiB: _size, labels: _labels, ...volume }) => volume),
      usedBytes: volumes.reduce((sum, { usedBytes }) => sum + usedBytes, 0),
      ...(this.isOn && { expiresAt: new Date(this.expiryOf(record)).toISOString() }),
    };
  }
}

function withoutUndefined(
  record: TrashRecord | { [K in keyof TrashRecord]: TrashRecord[K] | undefined },
): TrashRecord {
  return Object.fromEntries(Object.entries(record).filter(([, each]) => each !== undefined)) as TrashRecord;
}
