/** What stays at the end of a move, and why: in the same words for this machine and for volumes. */

/** Something that is still where it was. */
export interface Kept {
  path: string;
  reason: string;
}

/** Why something stays, other than that it could not be removed. */
export const keptReasons = {
  changed: 'copied, but not removed: it has changed since',
  came: 'not removed: it has come, or taken the place of what was copied, since',
  filled: 'copied, but not removed: something has come into it since',
} as const;

/** What was copied is still there as it could not be removed. */
export function notRemoved(reason: string): string {
  return `copied, but not removed: ${reason}`;
}
