/** The limits of a workspace, and changes to them. */
import type { Limits, LimitsPatch } from '../../../api/workspaces/schemas';

/** Null takes a limit away. */
export function changeLimits(before: Limits = {}, patch: LimitsPatch): Limits {
  const merged = Object.entries({ ...before, ...patch }).filter(([, value]) => value !== null);
  return Object.fromEntries(merged);
}
