import * as vscode from 'vscode';
import { offeredIn } from '../../../api/rules/lifecycle';
import type { Handler } from '../../command';
import { startRoute, verbCommand, type Verb, type VerbServices } from './verb';

const { t } = vscode.l10n;

export const restore: Verb = {
  expected: 'restoring',
  from: offeredIn('restore'),
  title: (names) => t('Restoring {0}', names),
  placeHolder: t('Workspace to restore'),
  none: t('No workspace is archived.'),
  ...startRoute('workspaces.restore'),
};

/** Builds a new runtime on the volumes of archived workspaces. */
export const restoreWorkspace = (services: VerbServices): Handler => verbCommand(services, restore);
