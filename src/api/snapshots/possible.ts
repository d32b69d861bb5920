/** Of which volumes there can be snapshots, and when. */
import type { Volume } from '../volumes/schemas';

type Known = Pick<Volume, 'kind' | 'role' | 'owner' | 'holders'>;

/** Whoever runs on it is held still for a moment. */
export function canBeKept(volume: Known): boolean {
  return canHaveSnapshots(volume);
}

/** Nobody may run on what is put back. */
export function canBeRestored(volume: Known): boolean {
  return canHaveSnapshots(volume) && isStill(volume);
}

/** Not of folders of this machine, of what another installation has made, nor of the data of Docker inside. */
export function canHaveSnapshots({ kind, role, owner }: Known): boolean {
  return kind !== 'directory' && owner === undefined && !(kind === 'docker' && role === 'docker');
}

function isStill({ holders }: Known): boolean {
  return holders.every(({ state }) => state === 'stopped');
}
