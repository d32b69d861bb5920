import { BerthError } from '../../../../api/errors';
import type { WorkspaceRecord } from '../record';

/** Throws `illegal_state` for a fork, or an import, whose files were not copied to their end: it would start with a part of them, or none. */
export function refuseUnfilled({ name, isUnfilled, forkedFrom }: WorkspaceRecord): void {
  if (isUnfilled === true) {
    const [source, again] =
      forkedFrom === undefined ? ['the file', 'import'] : [forkedFrom.workspace, 'fork'];
    throw new BerthError('illegal_state', `The files of ${source} were not copied to ${name} to their end.`, {
      hint: `Delete it: \`berth delete ${name}\`, and ${again} again.`,
    });
  }
}
