/** What stays of the snapshots of a volume, and what may not be deleted. */
import { asBerthError, BerthError } from '../../../api/errors';
import type { Operation } from '../../../api/operations/schemas';
import type {
  AutomaticReason,
  KeepPolicy,
  PruneRequest,
  PruneResult,
  Snapshot,
  SnapshotPatch,
} from '../../../api/snapshots/schemas';
import type { SnapshotMaker, SnapshotRecord, SnapshotRecords } from '../../store/snapshot-records';
import type { OperationContext } from '../operations/operation-context';
import type { Operations } from '../operations/operations';
import type { ForkBases } from '../workspaces/fork/bases';
import type { WorkspaceRegistry } from '../workspaces/registry';
import type { Snapshots } from './snapshots';
import { thin, type Verdict } from './thinning';

export interface PoliciesDeps {
  records: SnapshotRecords;
  operations: Operations;
  registry: WorkspaceRegistry;
  snapshots: Pick<Snapshots, 'get' | 'delete'>;
  bases: Pick<ForkBases, 'isHeld'>;
}

export class SnapshotPolicies {
  constructor(private readonly deps: PoliciesDeps) {}

  /** Throws `not_found`. */
  async update(volume: string, given: string, patch: SnapshotPatch): Promise<Snapshot> {
    const { records, snapshots } = this.deps;
    const { id } = await snapshots.get(volume, given);
    await records.update(id, (known) => ({ ...known, protected: patch.protected || undefined }));
    return snapshots.get(volume, id);
  }

  /** Throws `bad_request` where no rule says what stays: all would go. */
  prune(volume: string, { dryRun = false, ...policy }: PruneRequest): Operation {
    refuseNoRule(policy);
    const title = dryRun
      ? `See what of the snapshots of ${volume} would go`
      : `Thin the snapshots of ${volume}`;
    return this.deps.operations.start({ kind: 'snapshot.prune', title, volume }, (context) =>
      this.thinned(volume, policy, dryRun, context),
    );
  }

  private async thinned(
    volume: string,
    policy: KeepPolicy,
    dryRun: boolean,
    context: OperationContext,
  ): Promise<PruneResult> {
    const mine = this.deps.records.of(volume).filter(({ reason }) => reason !== 'trash');
    return this.remove(volume, thin(mine, policy, this.inUse(volume)), dryRun, context);
  }

  /** Those that were made by themselves for that workspace, as its policy says; within the work of somebody else. */
  async thinAutomatic(
    volume: string,
    policy: KeepPolicy,
    reasons: readonly AutomaticReason[],
    { name, createdAt }: SnapshotMaker,
  ): Promise<void> {
    // Volumes are shared, and names are used again.
    const isOwn = ({ reason, by }: SnapshotRecord): boolean =>
      reasons.some((each) => each === reason) && by?.name === name && by.createdAt === createdAt;
    const verdicts = thin(this.deps.records.of(volume).filter(isOwn), policy, this.inUse(volume));
    for (const { id } of verdicts.filter((each) => each.reasons.length === 0)) {
      await this.deps.snapshots.delete(volume, id);
    }
  }

  private async remove(
    volume: string,
    verdicts: readonly Verdict[],
    dryRun: boolean,
    context: OperationContext,
  ): Promise<PruneResult> {
    const going = verdicts.filter(({ reasons }) => reasons.length === 0).map(({ id }) => id);
    const result: PruneResult = {
      kept: verdicts
        .filter(({ reasons }) => reasons.length > 0)
        .map(({ id, reasons }) => ({ snapshot: id, reasons })),
      removed: dryRun ? going : [],
      failed: [],
    };
    for (const [done, id] of (dryRun ? [] : going).entries()) {
      context.signal.throwIfAborted();
      context.progress({ unit: 'steps', done, total: going.length });
      try {
        await this.deps.snapshots.delete(volume, id);
        result.removed.push(id);
      } catch (error) {
        const { message } = asBerthError(error);
        context.warn(`${id} was not deleted: ${message}`);
        result.failed.push({ snapshot: id, reason: message });
      }
    }
    return result;
  }

  /** What forks that are there, or in the trash, began with, or just begin with: they are compared with that. */
  private inUse(volume: string): ReadonlySet<string> {
    const { registry, records, bases } = this.deps;
    return new Set([
      ...registry.all().flatMap(({ forkedFrom }) => forkedFrom?.snapshot ?? []),
      ...records.of(volume).flatMap(({ id }) => (bases.isHeld(id) ? [id] : [])),
    ]);
  }
}

function refuseNoRule(policy: KeepPolicy): void {
  if (Object.keys(policy).length === 0) {
    throw new BerthError('bad_request', 'No rule says which snapshots stay.', {
      field: 'keepLast',
      hint: 'Give at least one, e.g. `--keep-last 5` or `--keep-daily 7`.',
    });
  }
}
