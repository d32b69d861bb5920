import * as vscode from 'vscode';
import { placeWords } from '../../providers/files/place-words';
import { folderUri, nameOfFolder, plainUri, type VolumePlace } from '../../providers/files/volume-uri';
import type { Handler, Services } from '../command';
import { Cancelled } from '../../ui/runner';
import { pickOne } from '../../ui/pick';

const { t } = vscode.l10n;

/** Opens a volume, or a folder of one, in the Explorer: added to this window, or alone in this or a new one. */
export const openVolumeAsFolder =
  ({ targets }: Pick<Services, 'targets'>): Handler =>
  async (target) => {
    const named = typeof target === 'string' ? { volume: target, path: '/' } : undefined;
    const place = named ?? (await targets.places(target, undefined))[0] ?? (await pick());
    const name = folderName(place);
    const plain = plainUri(place.volume, place.path);
    // A volume's own folder has its name already; the others go by one that says of what they are.
    const isNamed = place.path === '/' && name === place.volume;
    await openFolder(isNamed ? plain : folderUri(place, name), name, plain);

    async function pick(): Promise<{ volume: string; path: string }> {
      return { volume: (await targets.pickVolume({ placeHolder: t('Volume to open') })).name, path: '/' };
    }
  };

const folderName = (place: VolumePlace): string => nameOfFolder(place, placeWords);

/** Asks how, then opens it under that name; a window that has folders takes `added`, with the name. Throws `Cancelled`. */
export async function openFolder(uri: vscode.Uri, name: string, added = uri): Promise<void> {
  const ways = [
    {
      label: t('Add to this window'),
      iconPath: new vscode.ThemeIcon('add'),
      description: t('keeps the folders that are open'),
      way: 'add',
    },
    { label: t('Open in this window'), iconPath: new vscode.ThemeIcon('window'), way: 'here' },
    { label: t('Open in a new window'), iconPath: new vscode.ThemeIcon('empty-window'), way: 'new' },
  ];
  const hasFolders = (vscode.workspace.workspaceFolders ?? []).length > 0;
  const chosen = await pickOne(hasFolders ? ways : ways.slice(1), {
    placeHolder: t('How to open {0}', name),
  });
  if (chosen === undefined) {
    throw new Cancelled();
  }
  if (chosen.way === 'add') {
    vscode.workspace.updateWorkspaceFolders((vscode.workspace.workspaceFolders ?? []).length, 0, {
      uri: added,
      name,
    });
  } else {
    await vscode.commands.executeCommand('vscode.openFolder', uri, {
      forceNewWindow: chosen.way === 'new',
    });
  }
}
