/** Snapshots of volumes: made, listed, restored, deleted. */
import { BerthError } from '../../../api/errors';
import { snapshotIdPattern } from '../../../api/rules/names';
import type { Operation } from '../../../api/operations/schemas';
import type { AutomaticReason, Snapshot, SnapshotCreate } from '../../../api/snapshots/schemas';
import type { SnapshotFacts, SnapshotStore } from '../../drivers/contract/snapshots';
import type { Log } from '../../machine/log';
import type { SnapshotPlace, SnapshotRecord, SnapshotRecords } from '../../store/snapshot-records';
import { homeKindOf, type Drivers } from '../engine/drivers';
import type { EventHub } from '../operations/event-hub';
import type { OperationContext } from '../operations/operation-context';
import type { Operations } from '../operations/operations';
import { SnapshotChecks } from './checks';
import { jobOf, newId } from './job';
import { refuseProtectedSnapshot, refuseTrashed } from './protected';
import { refuseGuardedVolume } from '../volumes/protection';
import type { Volumes } from '../volumes/volumes';
import type { WorkspaceRegistry } from '../workspaces/registry';
import type { ProtectedVolumes } from '../../store/protected-volumes';

const isSnapshotId = new RegExp(snapshotIdPattern);

type About = Pick<SnapshotRecord, 'volume' | 'reason' | 'by'> & {
  name?: string | undefined;
  description?: string | undefined;
};

export interface SnapshotsDeps {
  drivers: Drivers;
  records: SnapshotRecords;
  operations: Operations;
  registry: WorkspaceRegistry;
  guarded: ProtectedVolumes;
  volumes: Pick<Volumes, 'get'>;
  events: EventHub;
  log: Log;
}

export class Snapshots {
  private readonly checks: SnapshotChecks;

  constructor(private readonly deps: SnapshotsDeps) {
    this.checks = new SnapshotChecks(deps);
  }

  /** Reads what there is, and removes data whose making was cut off. What is wrong there keeps no engine from its start. */
  async load(): Promise<void> {
    const { records, log } = this.deps;
    try {
      for (const refused of await records.load()) {
        log.error(refused, 'a snapshot is not listed');
      }
    } catch (error) {
      log.error({ err: error }, 'snapshots were not looked through');
      // What was not read might count as cut off.
      return;
    }
    const cutOff = records.cutOff();
    // A container engine may take long to answer, or not be there.
    void this.clear(cutOff.filter(({ kind }) => kind === 'docker'));
    await this.clear(cutOff.filter(({ kind }) => kind !== 'docker'));
  }

  /** What could not be removed is for the next engine. */
  private async clear(cutOff: readonly ({ id: string } & SnapshotPlace)[]): Promise<void> {
    const { records, drivers, log } = this.deps;
    for (const { id, kind, engine } of cutOff) {
      try {
        const driver = drivers.ofVolumeKind(kind);
        if (engine !== undefined && (await driver.engine())?.id !== engine) {
          log.info({ id, engine }, 'a snapshot whose making was cut off lies on another container engine');
          continue;
        }
        await driver.volumes.snapshots?.remove(id);
        await records.giveUp(id);
        log.info({ id }, 'removed a snapshot whose making was cut off');
      } catch (error) {
        log.warn({ err: error, id }, 'a snapshot whose making was cut off was not removed');
      }
    }
  }

  /** Newest first, of the volumes that `isSeen` lets through. */
  listAll(isSeen: (volume: string) => boolean): Promise<Snapshot[]> {
    const records = this.deps.records.all().filter(({ volume }) => isSeen(volume));
    return Promise.all(records.map((record) => this.shown(record)));
  }

  /** Newest first. */
  list(volume: string): Promise<Snapshot[]> {
    return Promise.all(this.deps.records.of(volume).map((record) => this.shown(record)));
  }

  get(volume: string, given: string): Promise<Snapshot> {
    return this.shown(this.find(volume, given));
  }

  /** Within the operation of somebody else: what forks are to begin with. Answers its id. */
  async keep(volume: string, reason: SnapshotRecord['reason'], context: OperationContext): Promise<string> {
    return this.make(await this.storeOf(volume), { volume, reason }, context);
  }

  /**
   * Within the operation of somebody else: a volume that nobody uses gets the files of a snapshot, which may be of another
   * one. `keep`: what is there now becomes a snapshot first, whose id is answered.
   */
  async fill(
    volume: string,
    from: { volume: string; id: string },
    keep: boolean,
    context: OperationContext,
  ): Promise<string | undefined> {
    const record = this.find(from.volume, from.id);
    const { store, place } = await this.storeOf(volume);
    await this.refuseElsewhere(record);
    return this.put(record, volume, { store, place, keep }, context);
  }

  /** What forks began with, unless it has a name by now, or somebody else's reason. Never fails. */
  async dropForked(id: string): Promise<void> {
    const { records, log } = this.deps;
    const record = records.get(id);
    if (record === undefined || record.reason !== 'fork' || record.name !== undefined) {
      return;
    }
    try {
      await this.delete(record.volume, id);
    } catch (error) {
      log.warn({ err: error, snapshot: id }, 'what forks began with was not deleted');
    }
  }

  /** Those that no fork began with, as an engine was killed. Never fails. */
  async sweepForked(isBase: (id: string) => boolean): Promise<void> {
    for (const { id } of this.deps.records.all().filter((each) => !isBase(each.id))) {
      await this.dropForked(id);
    }
  }

  /** What the trash has kept, when that is emptied or restored. What somebody protects, or gave a name, becomes a snapshot of their own. */
  async dropTrashed(id: string): Promise<void> {
    const record = this.deps.records.get(id);
    if (record?.reason !== 'trash') {
      return;
    }
    if (record.protected === true) {
      await this.deps.records.update(id, (known) => ({ ...known, reason: 'manual' }));
      return;
    }
    await this.remove(record);
  }

  async create(volume: string, { name, description }: SnapshotCreate): Promise<Operation> {
    const { store, place } = await this.storeOf(volume);
    this.refuseTaken(volume, name);
    const start = { kind: 'snapshot.create', title: `Make a snapshot of ${volume}`, volume } as const;
    return this.deps.operations.start(start, async (context) => {
      const about: About = { volume, reason: 'manual', name, description };
      const made = await context.step('snapshot', 'Copy', () => this.make({ store, place }, about, context));
      const seal = await store.seal?.(made, jobOf(context)).catch((error: unknown) => {
        // Then the first check is what later ones are held against.
        this.deps.log.info({ err: error, snapshot: made }, 'a snapshot was not sealed');
      });
      // Without its mark: the first check is to read it.
      await (seal &&
        this.deps.records.update(made, (known) => ({ ...known, seal: { digest: seal.digest } })));
      return { snapshot: made };
    });
  }

  /** An operation of its own, and its end: rejects as it does. */
  async takeAutomatic(volume: string, reason: AutomaticReason, by: SnapshotRecord['by']): Promise<void> {
    const place = await this.storeOf(volume);
    const start = { kind: 'snapshot.create', title: `Make a snapshot of ${volume}`, volume } as const;
    return new Promise((resolve, reject) => {
      const work = (context: OperationContext): Promise<string> =>
        context.step('snapshot', 'Copy', () => this.make(place, { volume, reason, by }, context));
      this.deps.operations.start(start, async (context) => {
        const made = work(context);
        made.then(() => resolve(), reject);
        return { snapshot: await made };
      });
    });
  }

  /** Reads one, and notes what came of it. `full`: also what has not changed since it was read. */
  async verify(volume: string, given: string, full: boolean): Promise<Operation> {
    const record = this.find(volume, given);
    await this.refuseElsewhere(record);
    const title = `Verify the snapshot ${record.name ?? record.id} of ${volume}`;
    return this.deps.operations.start({ kind: 'snapshot.verify', title, volume }, (context) =>
      context.step('verify', 'Read', () => this.checks.verify(record, full, jobOf(context))),
    );
  }

  /** What is there now becomes a snapshot first, unless `keep` is false: of a protected volume it always does. */
  async restore(volume: string, given: string, keep: boolean): Promise<Operation> {
    const record = this.find(volume, given);
    const { store, place } = await this.storeOf(volume);
    await this.refuseElsewhere(record);
    if (!keep) {
      refuseGuardedVolume(this.deps, { name: volume, kind: record.kind });
    }
    const title = `Restore ${volume} from ${record.name ?? record.id}`;
    return this.deps.operations.start({ kind: 'snapshot.restore', title, volume }, async (context) => {
      const before = await context.step('restore', 'Restore', () =>
        this.put(record, volume, { store, place, keep }, context),
      );
      return { restored: record.id, ...(before !== undefined && { before }) };
    });
  }

  /** Answers the snapshot of what was there before, if that was kept. */
  private async put(
    { id }: SnapshotRecord,
    volume: string,
    { store, place, keep }: { store: SnapshotStore; place: SnapshotPlace; keep: boolean },
    context: OperationContext,
  ): Promise<string | undefined> {
    const before = keep ? newId() : undefined;
    const kept =
      before === undefined
        ? undefined
        : {
            id: before,
            kept: async (facts: SnapshotFacts) => {
              facts.notes?.forEach((text) => context.warn(text));
              await this.note(before, { volume, reason: 'before-restore' }, facts);
            },
          };
    try {
      await (before === undefined ? undefined : this.deps.records.begin(before, place));
      const lost = await store.restore(id, volume, jobOf(context), kept);
      lost.forEach((text) => context.warn(text));
    } finally {
      await (before === undefined ? undefined : this.settle(store, before));
      await this.publish(volume);
    }
    return before;
  }

  /** Whatever became of it: its files and its size may be others. */
  private async publish(volume: string): Promise<void> {
    this.deps.events.publish('files.changed', { volume, changes: [{ type: 'changed', path: '/' }] });
    await this.publishVolume(volume);
  }

  /** Its snapshots are others: who shows them asks for them again. It may be gone. */
  private async publishVolume(volume: string): Promise<void> {
    const { events, volumes, log } = this.deps;
    try {
      events.publish('volume.changed', await volumes.get(volume, false));
    } catch (error) {
      log.warn({ err: error, volume }, 'not shown as it is now');
    }
  }

  async delete(volume: string, given: string): Promise<{ deleted: boolean }> {
    const record = this.find(volume, given);
    refuseProtectedSnapshot(record);
    refuseTrashed(record);
    await this.remove(record);
    return { deleted: true };
  }

  private async remove(record: SnapshotRecord): Promise<void> {
    const { id, kind, volume } = record;
    await this.refuseElsewhere(record);
    // The data first: a record without it can be deleted again, data without a record is nobody's.
    await this.checks.removing(id, async () => {
      await this.deps.drivers.ofVolumeKind(kind).volumes.snapshots?.remove(id);
      await this.deps.records.remove(id);
    });
    await this.publishVolume(volume);
  }

  private async make(
    { store, place }: { store: SnapshotStore; place: SnapshotPlace },
    about: About,
    context: OperationContext,
  ): Promise<string> {
    const id = newId();
    await this.deps.records.begin(id, place);
    try {
      const facts = await store.create(about.volume, id, jobOf(context));
      this.refuseTaken(about.volume, about.name);
      await this.note(id, about, facts);
      facts.notes?.forEach((text) => context.warn(text));
    } finally {
      await this.settle(store, id);
      await this.publishVolume(about.volume);
    }
    return id;
  }

  /** Of a making that has ended: what no record came to goes. */
  private async settle(store: SnapshotStore, id: string): Promise<void> {
    if (this.deps.records.has(id)) {
      return;
    }
    try {
      await store.remove(id);
      await this.deps.records.giveUp(id);
    } catch (error) {
      // Its mark stays, for the next engine: what went wrong before tells more.
      this.deps.log.warn({ err: error, id }, 'a snapshot that was not finished is left');
    }
  }

  private async note(
    id: string,
    { name, description, ...known }: About,
    facts: SnapshotFacts,
  ): Promise<void> {
    const engine = await this.deps.drivers.ofVolumeKind(facts.kind).engine();
    await this.deps.records.write({
      ...{ id, createdAt: new Date().toISOString() },
      ...known,
      ...facts,
      ...(engine !== undefined && { engine }),
      ...(name !== undefined && { name }),
      ...(description !== undefined && { description }),
    });
  }

  private async storeOf(volume: string): Promise<{ store: SnapshotStore; place: SnapshotPlace }> {
    const driver = await this.deps.drivers.ofVolume(volume);
    const { volumes } = driver;
    if (volumes.snapshots === undefined) {
      throw new BerthError('not_supported', `There are no snapshots of volumes of ${driver.kind}s yet.`, {
        hint: 'Copy its files: `berth cp`.',
      });
    }
    const engine = (await driver.engine())?.id;
    const kind = homeKindOf(driver);
    return { store: volumes.snapshots, place: { kind, ...(engine !== undefined && { engine }) } };
  }

  /** What it takes is missing where nobody answers who knows it. */
  private async shown({ engine: _e, seal: _s, by: _b, ...record }: SnapshotRecord): Promise<Snapshot> {
    const { snapshots } = this.deps.drivers.ofVolumeKind(record.kind).volumes;
    try {
      const heldBytes = await snapshots?.heldBytes(record.id);
      return { ...record, ...(heldBytes !== undefined && { heldBytes }) };
    } catch (error) {
      this.deps.log.info({ err: error, snapshot: record.id }, 'not known what a snapshot takes');
      return record;
    }
  }

  /** Its data would stay where it is, and nobody would know of it. */
  private async refuseElsewhere({ id, kind, engine }: SnapshotRecord): Promise<void> {
    const driver = this.deps.drivers.ofVolumeKind(kind);
    const now = engine === undefined ? undefined : await driver.engine();
    if (engine === undefined || now === undefined || now.id === engine.id) {
      return;
    }
    if ((await driver.volumes.snapshots?.heldBytes(id)) === undefined) {
      throw new BerthError(
        'runtime_unavailable',
        `The snapshot ${id} lies on another container engine (${engine.host}) than the one that answers now.`,
        { hint: 'Choose that one by the setting dockerHost, then try again.' },
      );
    }
  }

  /** By its id or its name. */
  private find(volume: string, given: string): SnapshotRecord {
    const all = this.deps.records.of(volume);
    const found = all.find(({ id }) => id === given) ?? all.find(({ name }) => name === given);
    if (found === undefined) {
      throw new BerthError('not_found', `The volume ${volume} has no snapshot ${given}.`, {
        hint: `\`berth snapshot list ${volume}\` shows the ones there are.`,
        field: 'snapshot',
      });
    }
    return found;
  }

  private refuseTaken(volume: string, name: string | undefined): void {
    if (name !== undefined && isSnapshotId.test(name)) {
      throw new BerthError(
        'bad_request',
        `"${name}" looks like the id of a snapshot, and can't be its name.`,
        {
          field: 'name',
          hint: 'Use a name that is not just 12 digits from 0 to f.',
        },
      );
    }
    if (name !== undefined && this.deps.records.of(volume).some((record) => record.name === name)) {
      throw new BerthError('exists', `The volume ${volume} has a snapshot ${name} already.`, {
        field: 'name',
      });
    }
  }
}
