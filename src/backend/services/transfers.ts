/** Bulk copies and moves between this machine and volumes, and between volumes. */
import { BerthError } from '../../api/errors';
import type { ConflictList, FileChange, TransferCreate } from '../../api/schemas/file';
import type { VolumeFiles } from '../files/volume-files';
import type { OperationContext } from './operation-context';

export interface TransferOptions {
  openFiles: (volume: string) => Promise<VolumeFiles>;
  /** Told of what a transfer changed in a volume. */
  changed: (volume: string, changes: FileChange[]) => void;
}

/** What became of a transfer; kept as the `result` of its operation. */
export interface TransferResult {
  files: number;
  bytes: number;
  /** Paths that were there already and stayed, or could not be represented at the target. */
  skipped: { path: string; reason: string }[];
  renamed: { from: string; to: string }[];
  failed: { path: string; reason: string }[];
}

export class Transfers {
  constructor(private readonly options: TransferOptions) {}

  /** Refuses a request that can never work, before an operation is made of it. */
  check(_request: TransferCreate): void {
    return;
  }

  /** What the request would meet at its target; nothing is changed. */
  conflicts(_request: TransferCreate): Promise<ConflictList> {
    return Promise.resolve({ conflicts: [], total: 0 });
  }

  /** Copies or moves. Cancelled or failed: what was staged is removed. */
  run(request: TransferCreate, _context: OperationContext): Promise<TransferResult> {
    this.options.changed('', []);
    return Promise.reject(new BerthError('internal', `Not there yet: ${JSON.stringify(request)}`));
  }
}
