import * as vscode from 'vscode';
import type { Handler } from '../command';
import { chooseSetting } from './choose';

const { t } = vscode.l10n;

/** Asks in which order volumes are shown. */
export const sortVolumes = (): Handler =>
  chooseSetting('volumes.sortBy', t('Sort volumes by'), {
    name: t('Name'),
    size: t('Size, largest first (measured volumes)'),
    created: t('Created, newest first'),
  });
