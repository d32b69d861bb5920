import { BerthError } from '../../../api/errors';
import type { SnapshotRecord } from '../../store/snapshot-records';

/** Throws `illegal_state` for one that is protected, naming what to do. */
export function refuseProtectedSnapshot({
  id,
  volume,
  name = id,
  protected: isProtected,
}: SnapshotRecord): void {
  if (isProtected === true) {
    throw new BerthError('illegal_state', `The snapshot ${name} is protected: it can't be deleted now.`, {
      hint: `Take the protection away first: \`berth snapshot unprotect ${volume} ${name}\`.`,
    });
  }
}

/** Throws `illegal_state` for one that the trash has: what was deleted could not be had back. */
export function refuseTrashed({ id, volume, name = id, reason }: SnapshotRecord): void {
  if (reason === 'trash') {
    throw new BerthError(
      'illegal_state',
      `The snapshot ${name} of ${volume} is what the trash keeps of it.`,
      {
        hint: 'Restore it, or remove it for good: `berth trash list`, `berth trash empty ITEM`.',
      },
    );
  }
}
