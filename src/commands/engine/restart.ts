import * as vscode from 'vscode';
import type { Handler, Services } from '../command';
import { confirm } from '../input';

const { t } = vscode.l10n;

/** Ends the engine and starts it again; workspaces go on running, operations in progress end. */
export const restartEngine =
  ({ link, runner, store }: Pick<Services, 'link' | 'runner' | 'store'>): Handler =>
  async () => {
    const busy = store.runningOperations;
    if (busy.length > 0) {
      const titles = busy.map(({ title }) => title).join('\n');
      await confirm(
        t('Restart the engine while it works?'),
        t('These operations will be cut off:\n{0}', titles),
        t('Restart'),
      );
    }
    await runner.runApart(t('Restarting the Berth engine'), () => link.restart());
  };
