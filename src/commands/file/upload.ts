/** Uploading: files and folders are two dialogs, as most systems can't offer both in one. */
import * as vscode from 'vscode';
import { bring } from '../../providers/drop/controllers';
import { sortUris } from '../../providers/drop/sources';
import type { Handler, Services } from '../command';
import { Cancelled } from '../../ui/runner';
import { folderOrPick, type PlaceServices } from './place';

const { t } = vscode.l10n;

/** The command that asks by such a dialog, and uploads what is chosen. */
export function upload(
  services: PlaceServices & Pick<Services, 'transfers'>,
  dialog: { canSelectFiles: boolean; canSelectFolders: boolean },
): Handler {
  return async (target) => {
    const to = await folderOrPick(services, target, t('Upload to'));
    const chosen = await vscode.window.showOpenDialog({
      ...dialog,
      canSelectMany: true,
      openLabel: t('Upload'),
      title: t('Upload to {0}', `${to.volume}:${to.path}`),
    });
    if (chosen === undefined || chosen.length === 0) {
      throw new Cancelled();
    }
    await bring(services, sortUris(chosen), to);
  };
}
