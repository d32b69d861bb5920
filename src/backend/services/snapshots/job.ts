import { randomBytes } from 'node:crypto';
import type { SnapshotJob } from '../../drivers/contract/snapshots';
import type { OperationContext } from '../operations/operation-context';

const idBytes = 6;

/** How a driver reports on an operation, and hears that it is cancelled. */
export function jobOf(context: OperationContext): SnapshotJob {
  return {
    signal: context.signal,
    report: (done, total) => context.progress({ unit: 'bytes', done, total }),
  };
}

/** Of a snapshot: 12 digits from 0 to f. */
export function newId(): string {
  return randomBytes(idBytes).toString('hex');
}
