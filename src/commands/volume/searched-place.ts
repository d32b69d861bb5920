import * as vscode from 'vscode';
import { placeOf, type VolumePlace } from '../../providers/files/volume-uri';
import { fileScheme } from '../../ui/ids';
import type { Targets } from '../targets';

const { t } = vscode.l10n;
/** What is left out unless it is asked for; the lists say so. */
export const leftOut = '.git,node_modules';

const isOurs = ({ uri }: vscode.WorkspaceFolder): boolean => uri.scheme === fileScheme;

/** Of several folders the one whose file is being edited. */
function folderOfEditor(): vscode.WorkspaceFolder | undefined {
  const uri = vscode.window.activeTextEditor?.document.uri;
  const folder = uri && vscode.workspace.getWorkspaceFolder(uri);
  return folder !== undefined && isOurs(folder) ? folder : undefined;
}

/** The folder to look in: the clicked one, that of this window, or the root of a volume that is picked. */
export async function searchedPlace(targets: Targets, target: unknown): Promise<VolumePlace> {
  const clicked = (await targets.places(target, undefined)).find(({ isFolder }) => isFolder);
  const opened = folderOfEditor() ?? vscode.workspace.workspaceFolders?.find(isOurs);
  if (clicked !== undefined) {
    return clicked;
  }
  if (opened !== undefined) {
    return placeOf(opened.uri);
  }
  const { name } = await targets.pickVolume({ placeHolder: t('Volume to search') });
  return { volume: name, path: '/' };
}
