import * as vscode from 'vscode';
import type { Handler, Services } from '../command';
import { confirmCutOff } from './cut-off';
import { showInformationMessage } from '../../ui/messages';
import { showInStatusBar } from '../../ui/pick';

const { t } = vscode.l10n;

/** Ends the engine, for all windows; workspaces go on running, operations in progress end. */
export const stopEngine =
  ({ link, runner, store }: Pick<Services, 'link' | 'runner' | 'store'>): Handler =>
  async () => {
    if (link.state.kind !== 'ready') {
      void showInformationMessage(t('The Berth engine does not run.'));
      return;
    }
    await confirmCutOff(t('Stop the engine while it works?'), store, t('Stop'));
    const outcome = await runner.run(t('Stopping the Berth engine'), ({ client }) =>
      client.call('engine.stop', { body: {} }),
    );
    if (outcome.kind === 'done') {
      showInStatusBar(t('The Berth engine is stopped. Workspaces go on running.'), 5_000);
    }
  };
