import * as vscode from 'vscode';
import { offeredIn } from '../../../api/rules/lifecycle';
import type { Handler } from '../../command';
import { startRoute, verbCommand, type Verb, type VerbServices } from './verb';

const { t } = vscode.l10n;

export const recover: Verb = {
  expected: 'recovering',
  from: offeredIn('recover'),
  title: (names) => t('Recovering {0}', names),
  placeHolder: t('Workspace to recover'),
  none: t('No workspace has an error.'),
  ...startRoute('workspaces.recover'),
};

/** Builds a new runtime for workspaces in error. */
export const recoverWorkspace = (services: VerbServices): Handler => verbCommand(services, recover);
