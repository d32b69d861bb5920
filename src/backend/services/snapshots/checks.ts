/** Checks of snapshots, and that none is deleted while it is read. */
import { BerthError } from '../../../api/errors';
import type { VerifyResult } from '../../../api/snapshots/schemas';
import type { SnapshotJob } from '../../drivers/contract/snapshots';
import { KeyedLock } from '../../machine/keyed-lock';
import type { SnapshotRecord, SnapshotRecords } from '../../store/snapshot-records';
import type { Drivers } from '../engine/drivers';

export class SnapshotChecks {
  private readonly lock = new KeyedLock();
  private readonly running = new Map<string, AbortController>();
  private readonly deleting = new Set<string>();

  constructor(private readonly deps: { drivers: Drivers; records: SnapshotRecords }) {}

  /** Reads one, and notes what came of it. `full`: also what has not changed since it was read. */
  verify({ id }: SnapshotRecord, full: boolean, job: SnapshotJob): Promise<VerifyResult> {
    return this.lock.run(id, async () => {
      if (this.deleting.has(id)) {
        throw gone(id);
      }
      const deleted = new AbortController();
      this.running.set(id, deleted);
      try {
        const signal = AbortSignal.any([job.signal, deleted.signal]);
        return await this.check(this.existing(id), full, { ...job, signal });
      } catch (error) {
        throw deleted.signal.aborted ? gone(id) : error;
      } finally {
        this.running.delete(id);
      }
    });
  }

  /** Deletes one by `work`; a check of it that is under way ends before. */
  async removing<T>(id: string, work: () => Promise<T>): Promise<T> {
    this.deleting.add(id);
    this.running.get(id)?.abort();
    try {
      return await this.lock.run(id, work);
    } finally {
      this.deleting.delete(id);
    }
  }

  private async check(record: SnapshotRecord, full: boolean, job: SnapshotJob): Promise<VerifyResult> {
    const { id, kind, damaged: before, seal: sealed } = record;
    const { snapshots: store } = this.deps.drivers.ofVolumeKind(kind).volumes;
    if (store === undefined) {
      throw new BerthError('not_supported', 'There are no snapshots of this kind of volume.');
    }
    // That something is sound again is not said without having read it.
    const options = { full: full || before !== undefined, seal: sealed };
    const { seal, ...found } = await store.verify(id, options, job);
    const { damaged } = found;
    await this.deps.records.update(id, ({ damaged: _before, verifiedAt, ...rest }) => ({
      ...rest,
      // The time of a check that has read nothing would say more than it knows.
      verifiedAt:
        found.read > 0 || damaged > 0 || verifiedAt === undefined ? new Date().toISOString() : verifiedAt,
      ...(damaged > 0 && { damaged }),
      ...(seal !== undefined && { seal }),
    }));
    return { verified: id, ...found, ...(seal?.since !== undefined && { since: seal.since }) };
  }

  private existing(id: string): SnapshotRecord {
    const record = this.deps.records.get(id);
    if (record === undefined) {
      throw gone(id);
    }
    return record;
  }
}

function gone(id: string): BerthError {
  return new BerthError('not_found', `The snapshot ${id} was deleted.`);
}
