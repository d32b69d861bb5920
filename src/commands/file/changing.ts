/** Commands that change files: where changes have to be allowed first, they say so and do nothing. */
import { lockedRoot, offerChanges } from '../../providers/files/fixed-roots';
import { rootFilesOf } from '../../api/rules/root-files';
import type { Handler, Services } from '../command';

/** The handler, for files that may be changed. */
export const changing =
  ({ targets, store }: Pick<Services, 'targets' | 'store'>, handler: Handler): Handler =>
  async (target, selected) => {
    for (const row of targets.rows(target, selected)) {
      const volume = row.type === 'root' ? rootFilesOf(row.workspace) : row.type === 'file' ? row.volume : '';
      const workspace = lockedRoot(store, volume);
      if (workspace !== undefined) {
        await offerChanges(workspace);
        return;
      }
    }
    await handler(target, selected);
  };
