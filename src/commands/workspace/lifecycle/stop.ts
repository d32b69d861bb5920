import * as vscode from 'vscode';
import { offeredIn } from '../../../api/rules/lifecycle';
import type { Handler } from '../../command';
import { route, verbCommand, type Verb, type VerbServices } from './verb';

const { t } = vscode.l10n;

export const stop: Verb = {
  expected: 'stopping',
  from: offeredIn('stop'),
  title: (names) => t('Stopping {0}', names),
  placeHolder: t('Workspace to stop'),
  none: t('No workspace is running.'),
  run: route('workspaces.stop'),
};

/** Stops workspaces: ten seconds of grace, then kill. Nothing is deleted. */
export const stopWorkspace = (services: VerbServices): Handler => verbCommand(services, stop);
