import * as vscode from 'vscode';
import type { Handler, Services } from '../command';

const { t } = vscode.l10n;

/** Starts the engine when it does not run. */
export const startEngine =
  ({ runner }: Pick<Services, 'runner'>): Handler =>
  async () => {
    await runner.run(t('Starting the Berth engine'), () => Promise.resolve());
  };
