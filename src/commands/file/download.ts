import { homedir } from 'node:os';
import * as vscode from 'vscode';
import { baseName } from '../../api/rules/volume-path';
import { names } from '../../ui/words';
import type { Handler, Services } from '../command';
import { Cancelled } from '../../ui/runner';
import type { Place } from '../targets';
import { placesOrPick, type PlaceServices } from './place';

const { t } = vscode.l10n;

type DownloadServices = PlaceServices & Pick<Services, 'transfers'>;

/** Copies files and folders out of volumes: one file under a chosen name, more into a chosen folder. */
export const download =
  (services: DownloadServices): Handler =>
  async (target, selected) => {
    await downloadPlaces(services, await placesOrPick(services, target, selected, t('Download')));
  };

/** The same, when it is known what is to be copied. Throws `Cancelled`. */
export async function downloadPlaces(
  { transfers }: Pick<Services, 'transfers'>,
  places: readonly Place[],
): Promise<void> {
  const [only] = places;
  const isOneFile = places.length === 1 && only !== undefined && !only.isFolder;
  const chosen = isOneFile ? await chooseFile(only) : await chooseFolder(places);
  if (chosen === undefined) {
    throw new Cancelled();
  }
  if (chosen.scheme === 'file') {
    await transfers.download(places, chosen.fsPath, isOneFile);
  } else {
    await transfers.downloadStreams(places, chosen, isOneFile);
  }
}

async function chooseFile({ path }: Place): Promise<vscode.Uri | undefined> {
  const defaultUri = vscode.Uri.joinPath(vscode.Uri.file(homedir()), baseName(path));
  return vscode.window.showSaveDialog({
    defaultUri,
    title: t('Download {0}', baseName(path)),
    saveLabel: t('Download'),
  });
}

async function chooseFolder(places: readonly Place[]): Promise<vscode.Uri | undefined> {
  const what = names(places.map(({ volume, path }) => (path === '/' ? volume : baseName(path))));
  const [folder] =
    (await vscode.window.showOpenDialog({
      canSelectFiles: false,
      canSelectFolders: true,
      defaultUri: vscode.Uri.file(homedir()),
      title: t('Download {0} into', what),
      openLabel: t('Download Here'),
    })) ?? [];
  return folder;
}
