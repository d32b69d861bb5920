import * as vscode from 'vscode';
import type { Handler } from '../command';
import { chooseSetting } from './choose';

const { t } = vscode.l10n;

/** Asks how the rows of volumes are grouped. */
export const groupVolumes = (): Handler =>
  chooseSetting('volumes.groupBy', t('Group volumes by'), {
    role: t('Purpose'),
    none: t('Nothing'),
    kind: t('Kind'),
  });
