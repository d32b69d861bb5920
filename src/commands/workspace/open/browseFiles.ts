import * as vscode from 'vscode';
import { isRow } from '../../../providers/trees/rows';
import type { Handler, Services } from '../../command';

const { t } = vscode.l10n;

/** Shows the files of a workspace's home, or of the clicked volume, in the Volumes view. */
export const browseFiles =
  ({ targets, views }: Pick<Services, 'targets' | 'views'>): Handler =>
  async (target) => {
    if (isRow(target) && target.type === 'mount') {
      return views.revealVolume(target.volume);
    }
    const workspace = await targets.workspace(target, {
      eligible: () => true,
      placeHolder: t('Workspace to browse'),
      none: t('There is no workspace.'),
    });
    return views.revealVolume(workspace.homeVolume);
  };
