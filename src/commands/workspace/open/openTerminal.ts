import * as vscode from 'vscode';
import type { Handler, Services } from '../../command';
import { isUsable } from '../../../api/rules/lifecycle';
import { isMadeRunning } from '../lifecycle/make-running';

const { t } = vscode.l10n;

/** Opens a terminal in workspaces; what does not run is started, resumed or restored first, as that is an explicit wish. */
export const openTerminal =
  (services: Pick<Services, 'targets' | 'runner' | 'store' | 'terminals'>): Handler =>
  async (target, selected) => {
    const workspaces = await services.targets.workspaces(target, selected, {
      eligible: ({ state }) => isUsable('open', state),
      placeHolder: t('Workspace to open a terminal in'),
      none: t('No workspace can run a terminal.'),
    });
    for (const workspace of workspaces) {
      if (await isMadeRunning(services, workspace)) {
        services.terminals.open(workspace.name).show();
      }
    }
  };
