/**
 * `berth:/<volume>/<path>`: the volume is the first name of the path, as VS Code names folders, windows, tabs and recent
 * files by their path alone. There is no authority: VS Code keeps one in lower case. What is no volume has a
 * name that none can have in its place (`rootfs@<workspace>`, `snapshot@<id>`). The older `berth://<volume>/<path>` still opens.
 */
import * as vscode from 'vscode';
import { fileScheme } from '../../ui/ids';

export interface VolumePlace {
  volume: string;
  path: string;
}

/** The URI of a path in a volume. */
export function volumeUri(volume: string, path: string): vscode.Uri {
  return vscode.Uri.from({ scheme: fileScheme, path: path === '/' ? `/${volume}` : `/${volume}${path}` });
}

/** The URI by which a path in a volume went before. */
export function olderUri(volume: string, path: string): vscode.Uri {
  return vscode.Uri.from({ scheme: fileScheme, authority: volume, path });
}

export function isOlderUri({ authority }: vscode.Uri): boolean {
  return authority !== '';
}

/** Whether that is the folder of all volumes, `berth:/`. */
export function isAllVolumes(uri: vscode.Uri): boolean {
  return !isOlderUri(uri) && placeOf(uri).volume === '';
}

/** What a URI of ours means; the volume is empty for the folder of all volumes. */
export function placeOf(uri: vscode.Uri): VolumePlace {
  if (isOlderUri(uri)) {
    return { volume: uri.authority, path: uri.path === '' ? '/' : uri.path };
  }
  const [, volume = '', path = ''] = /^\/?([^/]*)(.*)$/s.exec(uri.path) ?? [];
  return { volume, path: path === '' ? '/' : path };
}
