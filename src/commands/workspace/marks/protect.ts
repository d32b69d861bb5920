import * as vscode from 'vscode';
import type { Handler, Services } from '../../command';
import { mark } from './mark';

const { t } = vscode.l10n;

/** Protects workspaces from delete, rebuild and archive, or takes that away. */
export const protectWorkspace =
  (services: Pick<Services, 'targets' | 'runner' | 'store'>, isProtected: boolean): Handler =>
  async (target, selected) => {
    const workspaces = await services.targets.workspaces(target, selected, {
      eligible: (workspace) => (workspace.protected === true) !== isProtected,
      placeHolder: isProtected ? t('Workspace to protect') : t('Workspace to unprotect'),
      none: isProtected ? t('Every workspace is protected.') : t('No workspace is protected.'),
    });
    await mark(services, workspaces, { protected: isProtected });
  };
