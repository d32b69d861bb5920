import * as vscode from 'vscode';
import { offeredIn } from '../../../api/rules/lifecycle';
import type { Handler } from '../../command';
import { startRoute, verbCommand, type Verb, type VerbServices } from './verb';

const { t } = vscode.l10n;

export const restart: Verb = {
  expected: 'stopping',
  from: offeredIn('restart'),
  title: (names) => t('Restarting {0}', names),
  placeHolder: t('Workspace to restart'),
  none: t('No workspace is running.'),
  ...startRoute('workspaces.restart'),
};

/** Stops and starts workspaces. */
export const restartWorkspace = (services: VerbServices): Handler => verbCommand(services, restart);
