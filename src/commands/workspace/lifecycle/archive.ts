import * as vscode from 'vscode';
import { isLive } from '../../../api/rules/lifecycle';
import type { Handler } from '../../command';
import { runVerb, verbChoice, type VerbServices } from './verb';
import { showInformationMessage } from '../../../ui/messages';

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
    const text = workspaces.some(({ state }) => isLive(state))
      ? t(
          'Archived {0}. Its programs and their memory are gone; all files are kept, also those outside of volumes.',
          labels,
        )
      : t('Archived {0}. All files are kept, also those outside of volumes.', labels);
    if ((await showInformationMessage(text, undo)) === undo) {
      await runVerb(services, 'restore', workspaces);
    }
  };
