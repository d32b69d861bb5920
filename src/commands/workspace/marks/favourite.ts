import * as vscode from 'vscode';
import type { Handler, Services } from '../../command';
import { mark } from './mark';

const { t } = vscode.l10n;

/** Has workspaces shown before the others, in all windows, or no longer. */
export const markFavourite =
  (services: Pick<Services, 'targets' | 'runner' | 'store'>, favourite: boolean): Handler =>
  async (target, selected) => {
    const workspaces = await services.targets.workspaces(target, selected, {
      eligible: (workspace) => (workspace.favourite === true) !== favourite,
      placeHolder: favourite
        ? t('Workspace to add to the favourites')
        : t('Workspace to remove from the favourites'),
      none: favourite ? t('Every workspace is a favourite.') : t('No workspace is a favourite.'),
    });
    await mark(services, workspaces, { favourite });
  };
