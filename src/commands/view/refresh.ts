import * as vscode from 'vscode';
import type { Handler, Services } from '../command';

const { t } = vscode.l10n;

/** Reads everything again. */
export const refresh =
  ({
    link,
    runner,
    volumesTree,
    workspacesTree,
  }: Pick<Services, 'link' | 'runner' | 'volumesTree' | 'workspacesTree'>): Handler =>
  async () => {
    await runner.run(t('Refreshing'), async () => {
      await link.reload();
      volumesTree.refreshAll();
      workspacesTree.refreshAll();
    });
  };
