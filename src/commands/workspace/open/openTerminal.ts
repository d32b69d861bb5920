import * as vscode from 'vscode';
import type { Handler, Services } from '../../command';
import { resume } from '../lifecycle/resume';
import { start } from '../lifecycle/start';
import { runVerb } from '../lifecycle/verb';

const { t } = vscode.l10n;

/** Opens a terminal in workspaces; a stopped or paused one is started or resumed first, as that is an explicit wish. */
export const openTerminal =
  (services: Pick<Services, 'targets' | 'runner' | 'store' | 'terminals'>): Handler =>
  async (target, selected) => {
    const workspaces = await services.targets.workspaces(target, selected, {
      eligible: ({ state }) => ['running', 'paused', 'stopped', 'starting', 'resuming'].includes(state),
      placeHolder: t('Workspace to open a terminal in'),
      none: t('No workspace can run a terminal.'),
    });
    for (const workspace of workspaces) {
      const verb = workspace.state === 'stopped' ? start : workspace.state === 'paused' ? resume : undefined;
      const outcome = verb && (await runVerb(services, verb, [workspace]));
      if (outcome === undefined || outcome.kind === 'done') {
        services.terminals.open(workspace.name).show();
      }
    }
  };
