import * as vscode from 'vscode';
import type { Handler, Services } from '../command';
import { confirmCutOff } from './cut-off';

const { t } = vscode.l10n;

/** Ends the engine and starts it again; workspaces go on running, operations in progress end. */
export const restartEngine =
  ({ link, runner, store }: Pick<Services, 'link' | 'runner' | 'store'>): Handler =>
  async () => {
    await confirmCutOff(t('Restart the engine while it works?'), store, t('Restart'));
    await runner.runApart(t('Restarting the Berth engine'), () => link.restart());
  };
