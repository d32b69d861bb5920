import * as vscode from 'vscode';
import { volumeUri } from '../../providers/files/volume-uri';
import type { Handler } from '../command';
import { placesOrPick, type PlaceServices } from './place';

const { t } = vscode.l10n;

/** Opens files in an editor beside the one that is in use. */
export const openToSide =
  (services: PlaceServices): Handler =>
  async (target, selected) => {
    const places = await placesOrPick(services, target, selected, t('Open to the Side'));
    for (const { volume, path } of places.filter(({ isFolder }) => !isFolder)) {
      const viewColumn = vscode.ViewColumn.Beside;
      await vscode.commands.executeCommand('vscode.open', volumeUri(volume, path), { viewColumn });
    }
  };
