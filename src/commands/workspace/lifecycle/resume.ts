import * as vscode from 'vscode';
import { offeredIn } from '../../../api/rules/lifecycle';
import type { Handler } from '../../command';
import { route, startRoute, verbCommand, type Verb, type VerbServices } from './verb';

const { t } = vscode.l10n;

export const resume: Verb = {
  expected: 'resuming',
  from: offeredIn('resume'),
  title: (names) => t('Resuming {0}', names),
  placeHolder: t('Workspace to resume'),
  none: t('No workspace is paused.'),
  run: route('workspaces.resume'),
  // Its memory fits the volumes that it had.
  runEmpty: startRoute('workspaces.restart').runEmpty,
};

/** Lets paused workspaces go on. */
export const resumeWorkspace = (services: VerbServices): Handler => verbCommand(services, resume);
