import * as vscode from 'vscode';
import type { Handler } from '../command';
import { route, verbCommand, type Verb, type VerbServices } from './verb';

const { t } = vscode.l10n;

export const start: Verb = {
  expected: 'starting',
  from: ['stopped'],
  title: (names) => t('Starting {0}', names),
  placeHolder: t('Workspace to start'),
  none: t('No workspace is stopped.'),
  run: route('workspaces.start'),
};

/** Starts stopped workspaces. */
export const startWorkspace = (services: VerbServices): Handler => verbCommand(services, start);
