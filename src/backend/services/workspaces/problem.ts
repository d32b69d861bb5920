import { asBerthError } from '../../../api/errors';
import type { Problem } from '../../../api/workspaces/schemas';

/** What went wrong, as the record keeps it. `step`: what was being done. */
export function problemOf(error: unknown, step: string): Problem {
  const { code, message, hint, detail } = asBerthError(error);
  return {
    code,
    message,
    step,
    ...(hint !== undefined && { hint }),
    ...(detail !== undefined && { detail }),
  };
}
