import { homedir } from 'node:os';
import * as vscode from 'vscode';
import { baseOf, joinPath } from '../../providers/files/paths';
import { volumeUri } from '../../providers/files/volume-uri';
import { names } from '../../providers/words';
import type { Handler, Services } from '../command';
import { Cancelled } from '../runner';
import type { Place } from '../targets';
import { placesOrPick, type PlaceServices } from './place';

const { t } = vscode.l10n;

type DownloadServices = PlaceServices & Pick<Services, 'transfers' | 'runner'>;

/** Copies files and folders out of volumes: one file under a chosen name, more into a chosen folder. */
export const download =
  (services: DownloadServices): Handler =>
  async (target, selected) => {
    const places = await placesOrPick(services, target, selected, t('Download'));
    const [only] = places;
    const isOneFile = places.length === 1 && only !== undefined && !only.isFolder;
    const chosen = isOneFile ? await chooseFile(only) : await chooseFolder(places);
    if (chosen === undefined) {
      throw new Cancelled();
    }
    if (chosen.scheme === 'file') {
      await services.transfers.download(places, chosen.fsPath, isOneFile);
    } else {
      await throughEditor(services, places, chosen, isOneFile);
    }
  };

async function chooseFile({ path }: Place): Promise<vscode.Uri | undefined> {
  const defaultUri = vscode.Uri.joinPath(vscode.Uri.file(homedir()), baseOf(path));
  return vscode.window.showSaveDialog({
    defaultUri,
    title: t('Download {0}', baseOf(path)),
    saveLabel: t('Download'),
  });
}

async function chooseFolder(places: readonly Place[]): Promise<vscode.Uri | undefined> {
  const what = names(places.map(({ volume, path }) => (path === '/' ? volume : baseOf(path))));
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

/** The target is on another file system (a remote window's): VS Code copies. */
async function throughEditor(
  { runner }: DownloadServices,
  places: readonly Place[],
  chosen: vscode.Uri,
  isOneFile: boolean,
): Promise<void> {
  await runner.run(t('Downloading'), async (task) => {
    for (const { volume, path } of places) {
      if (task.signal.aborted) {
        throw new Cancelled();
      }
      task.report(path);
      const name = path === '/' ? volume : baseOf(path);
      const to = isOneFile ? chosen : chosen.with({ path: joinPath(chosen.path, name) });
      await vscode.workspace.fs.copy(volumeUri(volume, path), to, { overwrite: isOneFile });
    }
  });
}
