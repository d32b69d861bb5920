import * as vscode from 'vscode';
import type { Handler } from '../../command';
import { runVerb, verbChoice, type VerbServices } from './verb';

const { t } = vscode.l10n;

/** Sets workspaces aside: nothing of them runs, all their files stay, so that it can be undone. */
export const archiveWorkspace =
  (services: VerbServices): Handler =>
  async (target, selected) => {
    const workspaces = await services.targets.workspaces(target, selected, verbChoice('archive'));
    const outcome = await runVerb(services, 'archive', workspaces);
    if (outcome.kind !== 'done') {
      return;
    }
    const undo = t('Undo');
    const labels = workspaces.map(({ label }) => label).join(', ');
    const text = t('Archived {0}. All files are kept, also those outside of volumes.', labels);
    if ((await vscode.window.showInformationMessage(text, undo)) === undo) {
      await runVerb(services, 'restore', workspaces);
    }
  };
