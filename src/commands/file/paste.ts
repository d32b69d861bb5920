import * as vscode from 'vscode';
import type { Handler, Services } from '../command';
import { folderOrPick, type PlaceServices } from './place';
import { showInformationMessage } from '../../ui/messages';

const { t } = vscode.l10n;

/** Copies or moves what was copied or cut into a folder. */
export const pasteFiles =
  (services: PlaceServices & Pick<Services, 'clipboard' | 'transfers'>): Handler =>
  async (target) => {
    const clip = services.clipboard.content;
    if (clip === undefined) {
      void showInformationMessage(t('There is nothing to paste: copy or cut files first.'));
      return;
    }
    const to = await folderOrPick(services, target, t('Paste into'));
    const isDone = await services.transfers.place(clip.places, to, clip.how);
    if (isDone && clip.how === 'move') {
      services.clipboard.clear();
    }
  };
