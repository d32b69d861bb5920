/** What stays at the end of a move, and why: in the same words for this machine and for volumes. */

/** Something that is still where it was. */
export interface Kept {
  path: string;
  reason: string;
}

/** What is noted of each file and folder that is moved takes 24 to 48 bytes of memory. */
export const maxNoted = 4_000_000;

/** Why something stays, other than that it could not be removed. */
export const keptReasons = {
  many: `copied, but not removed: a move removes ${maxNoted} files and folders at most`,
  changed: 'copied, but not removed: it has changed since',
  came: 'not removed: it has come, or taken the place of what was copied, since',
  filled: 'copied, but not removed: something has come into it since',
} as const;

/** Whether an agent has one of these reasons. */
export function isKeptReason(why: unknown): why is keyof typeof keptReasons {
  return typeof why === 'string' && Object.hasOwn(keptReasons, why);
}

/** What was copied is still there as it could not be removed. */
export function notRemoved(reason: string): string {
  return `copied, but not removed: ${reason}`;
}
