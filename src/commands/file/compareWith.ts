import * as vscode from 'vscode';
import { baseName } from '../../api/rules/volume-path';
import { volumeUri } from '../../providers/files/volume-uri';
import type { Handler } from '../command';
import { pickPath } from '../pick-path';
import type { Place } from '../targets';
import { placesOrPick, type PlaceServices } from './place';
import { showInformationMessage } from '../../ui/messages';

const { t } = vscode.l10n;

/** Two selected files in the diff editor; of one, with another that is picked in its volume. */
export const compareWith =
  (services: PlaceServices): Handler =>
  async (target, selected) => {
    const places = await placesOrPick(services, target, selected, t('Compare with'));
    const [left, second] = places.filter(({ isFolder }) => !isFolder);
    if (left === undefined) {
      void showInformationMessage(t('Only files can be compared.'));
      return;
    }
    const right = second ?? (await pickOther(services, left));
    if (right.isFolder) {
      void showInformationMessage(t('Only files can be compared.'));
      return;
    }
    const title = `${baseName(left.path)} ↔ ${baseName(right.path)}`;
    await vscode.commands.executeCommand('vscode.diff', uriOf(left), uriOf(right), title);
  };

const uriOf = ({ volume, path }: Place): vscode.Uri => volumeUri(volume, path);

async function pickOther({ link }: PlaceServices, { volume, path }: Place): Promise<Place> {
  const title = t('Compare {0} with', baseName(path));
  return pickPath(await link.client(), volume, { title });
}
