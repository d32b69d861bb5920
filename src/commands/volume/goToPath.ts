import * as vscode from 'vscode';
import { volumeUri } from '../../providers/files/volume-uri';
import { isRow } from '../../providers/trees/rows';
import type { Handler, Services } from '../command';
import { pickPath } from '../pick-path';

const { t } = vscode.l10n;

/** Finds a file or folder by path: a file opens, a folder is shown in the view. */
export const goToPath =
  ({
    link,
    targets,
    views,
    volumesTree,
  }: Pick<Services, 'link' | 'targets' | 'views' | 'volumesTree'>): Handler =>
  async (target) => {
    const clicked = isRow(target) && target.type === 'volume' ? target.name : undefined;
    const volume = clicked ?? (await targets.pickVolume({ placeHolder: t('Volume to go into') })).name;
    const client = await link.client();
    const place = await pickPath(client, volume, { title: t('Go to path in {0}', volume) });
    if (!place.isFolder) {
      await vscode.commands.executeCommand('vscode.open', volumeUri(volume, place.path));
      return;
    }
    await views.revealVolume(volume);
    await revealFolder(place.path);

    /** Parents first: a row can only be revealed when those above it are known. */
    async function revealFolder(path: string): Promise<void> {
      const parts = path.split('/').filter((part) => part !== '');
      for (let depth = 1; depth <= parts.length; depth++) {
        const at = `/${parts.slice(0, depth).join('/')}`;
        const entry = await client.call('files.stat', { params: { volume }, query: { path: at } });
        await views.revealFile(volumesTree.rowOfFile({ type: 'file', volume, path: at, entry }));
      }
    }
  };
