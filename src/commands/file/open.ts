import * as vscode from 'vscode';
import { formatBytes } from '../../ui/sizes';
import { isForEditor } from '../../providers/files/editor-size';
import { volumeUri } from '../../providers/files/volume-uri';
import type { Handler } from '../command';
import type { CommandId } from '../../ui/contributions/commands';
import { placesOrPick, type PlaceServices } from './place';
import { showInformationMessage } from '../../ui/messages';

const { t } = vscode.l10n;

/** Opens files in editors; large ones are offered for download. */
export const openFile =
  (services: PlaceServices): Handler =>
  async (target, selected) => {
    const places = await placesOrPick(services, target, selected, t('Open File'));
    for (const place of places.filter(({ isFolder }) => !isFolder)) {
      const uri = volumeUri(place.volume, place.path);
      const size = place.row?.entry.size ?? 0;
      if (isForEditor({ size })) {
        await vscode.commands.executeCommand('vscode.open', uri, { preview: places.length === 1 });
      } else {
        await offerDownload(uri, place.path, size);
      }
    }
  };

async function offerDownload(uri: vscode.Uri, path: string, size: number): Promise<void> {
  const download = t('Download…');
  const text = t('{0} is {1} large: download it instead of opening it?', path, formatBytes(size));
  if ((await showInformationMessage(text, download)) === download) {
    const command: CommandId = 'berth.file.download';
    await vscode.commands.executeCommand(command, uri);
  }
}
