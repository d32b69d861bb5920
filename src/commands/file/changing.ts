/** Commands that change files: where changes have to be allowed first, they say so and do nothing. */
import * as vscode from 'vscode';
import { lockedRoot, offerChanges } from '../../providers/files/fixed-roots';
import { rootFilesOf, workspaceOfRoot } from '../../api/rules/root-files';
import type { Row } from '../../providers/trees/rows';
import { showInformationMessage } from '../../ui/messages';
import type { Handler, Services } from '../command';

const { t } = vscode.l10n;

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
      const mounted = mountedReadOnly(row);
      if (mounted !== undefined) {
        void showInformationMessage(mounted);
        return;
      }
    }
    await handler(target, selected);
  };

/** Menus do not offer it, keys do not know the row. */
function mountedReadOnly(row: Row): string | undefined {
  const { volume, workspace } =
    row.type === 'mount' && row.readOnly
      ? row
      : row.type === 'file' && row.inside?.readOnly === true && workspaceOfRoot(row.volume) === undefined
        ? { volume: row.volume, workspace: row.inside.workspace }
        : {};
  return volume === undefined || workspace === undefined
    ? undefined
    : t('{0} is mounted read-only in {1}: change its files in the Volumes view.', volume, workspace);
}
