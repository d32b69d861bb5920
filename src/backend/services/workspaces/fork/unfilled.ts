import { BerthError } from '../../../../api/errors';
import type { WorkspaceRecord } from '../record';

/** Throws `illegal_state` for a fork whose files were not copied to their end: it would start with a part of them, or none. */
export function refuseUnfilled({ name, isUnfilled, forkedFrom }: WorkspaceRecord): void {
  if (isUnfilled === true) {
    const source = forkedFrom?.workspace ?? 'another workspace';
    throw new BerthError('illegal_state', `The files of ${source} were not copied to ${name} to their end.`, {
      hint: `Delete it: \`berth delete ${name}\`, and fork again.`,
    });
  }
}
