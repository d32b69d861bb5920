import * as vscode from 'vscode';
import type { Handler } from '../command';
import { chooseSetting } from './choose';

const { t } = vscode.l10n;

/** Asks how the rows of workspaces are grouped. */
export const groupWorkspaces = (): Handler =>
  chooseSetting('workspaces.groupBy', t('Group workspaces by'), {
    none: t('Nothing'),
    state: t('State'),
    runtime: t('Runtime'),
    image: t('Image'),
  });
