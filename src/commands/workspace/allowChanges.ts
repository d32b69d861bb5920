import * as vscode from 'vscode';
import { lockedRoot } from '../../providers/files/fixed-roots';
import { rootFilesOf } from '../../api/rules/root-files';
import type { Handler, Services } from '../command';
import { confirm } from '../input';

const { t } = vscode.l10n;

/** Lets this window change files of a workspace that are in no volume, after a warning; until it is reloaded. */
export const allowChanges =
  ({ targets, store }: Pick<Services, 'targets' | 'store'>): Handler =>
  async (target) => {
    const { name, label } = await targets.workspace(target, {
      eligible: (workspace) => lockedRoot(store, rootFilesOf(workspace.name)) !== undefined,
      placeHolder: t('Workspace whose files are to be changed'),
      none: t('No workspace runs whose files are read-only.'),
    });
    await confirm({
      message: t('Allow changes to the files of {0} that are in none of its volumes?', label),
      detail: t(
        'This window may change them until it is closed or reloaded. What is changed there goes with the next rebuild, and a wrong change can keep {0} from starting.',
        label,
      ),
      act: t('Allow Changes'),
      harmless: { title: t('Leave Read-Only') },
    });
    store.allowRootChanges(name);
  };
