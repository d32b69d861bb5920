import * as vscode from 'vscode';
import { offeredIn } from '../../../api/rules/lifecycle';
import type { Handler } from '../../command';
import { startRoute, verbCommand, type Verb, type VerbServices } from './verb';

const { t } = vscode.l10n;

export const start: Verb = {
  expected: 'starting',
  from: offeredIn('start'),
  title: (names) => t('Starting {0}', names),
  placeHolder: t('Workspace to start'),
  none: t('No workspace is stopped.'),
  ...startRoute('workspaces.start'),
};

/** Starts stopped workspaces. */
export const startWorkspace = (services: VerbServices): Handler => verbCommand(services, start);
