import * as vscode from 'vscode';
import type { Workspace } from '../../../api';
import { isUsable } from '../../../api/rules/lifecycle';
import type { Handler, Services } from '../../command';
import { openRemote, type OpenServices } from './open-remote';

const { t } = vscode.l10n;

export const openable = {
  eligible: ({ state }: Workspace): boolean => isUsable('open', state),
  placeHolder: t('Workspace to open'),
  none: t('No workspace can be opened.'),
};

/** Opens a workspace in this window. */
export const openWorkspace =
  (services: OpenServices & Pick<Services, 'targets'>): Handler =>
  async (target) =>
    openRemote(services, await services.targets.workspace(target, openable), false);
