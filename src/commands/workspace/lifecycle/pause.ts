import * as vscode from 'vscode';
import { offeredIn } from '../../../api/rules/lifecycle';
import type { Handler } from '../../command';
import { route, verbCommand, type Verb, type VerbServices } from './verb';

const { t } = vscode.l10n;

export const pause: Verb = {
  expected: 'pausing',
  from: offeredIn('pause'),
  title: (names) => t('Pausing {0}', names),
  placeHolder: t('Workspace to pause'),
  none: t('No workspace is running.'),
  run: route('workspaces.pause'),
};

/** Freezes all processes of workspaces. */
export const pauseWorkspace = (services: VerbServices): Handler => verbCommand(services, pause);
