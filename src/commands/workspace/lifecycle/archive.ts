import * as vscode from 'vscode';
import { offeredIn } from '../../../api/rules/lifecycle';
import type { Handler } from '../../command';
import { restore } from './restore';
import { route, runVerb, type Verb, type VerbServices } from './verb';

const { t } = vscode.l10n;

const archive: Verb = {
  expected: 'archiving',
  from: offeredIn('archive'),
  title: (names) => t('Archiving {0}', names),
  placeHolder: t('Workspace to archive'),
  none: t('No workspace can be archived.'),
  run: route('workspaces.archive'),
};

/** Sets workspaces aside: nothing of them runs, all their files stay, so that it can be undone. */
export const archiveWorkspace =
  (services: VerbServices): Handler =>
  async (target, selected) => {
    const workspaces = await services.targets.workspaces(target, selected, {
      eligible: ({ state }) => archive.from.includes(state),
      ...archive,
    });
    const outcome = await runVerb(services, archive, workspaces);
    if (outcome.kind !== 'done') {
      return;
    }
    const undo = t('Undo');
    const labels = workspaces.map(({ label }) => label).join(', ');
    const text = t('Archived {0}. All files are kept, also those outside of volumes.', labels);
    if ((await vscode.window.showInformationMessage(text, undo)) === undo) {
      await runVerb(services, restore, workspaces);
    }
  };
