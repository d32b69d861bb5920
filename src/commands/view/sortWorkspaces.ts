import * as vscode from 'vscode';
import type { Handler } from '../command';
import { chooseSetting } from './choose';

const { t } = vscode.l10n;

/** Asks in which order workspaces are shown. */
export const sortWorkspaces = (): Handler =>
  chooseSetting('workspaces.sortBy', t('Sort workspaces by'), {
    name: t('Name'),
    state: t('State'),
    lastUsed: t('Last used, newest first'),
    created: t('Created, newest first'),
  });
