/**
 * `berth:/<volume>/<path>`: the volume is the first name of the path, as VS Code names folders, windows, tabs and recent
 * files by their path alone. There is no authority: VS Code keeps one in lower case. What is no volume has a
 * name that none can have in its place (`rootfs@<workspace>`, `snapshot@<id>`). A snapshot that is open as a folder goes by
 * what people call it, `berth:/<volume>@<name>/<path>?<id>`. The older `berth://<volume>/<path>` still opens.
 */
import * as vscode from 'vscode';
import { snapshotIdPattern } from '../../api/rules/names';
import { snapshotFilesOf } from '../../api/rules/root-files';
import { fileScheme } from '../../ui/ids';

const snapshotId = new RegExp(snapshotIdPattern);

export interface VolumePlace {
  volume: string;
  path: string;
}

/** The URI of a path in a volume. */
export function volumeUri(volume: string, path: string): vscode.Uri {
  return vscode.Uri.from({ scheme: fileScheme, path: path === '/' ? `/${volume}` : `/${volume}${path}` });
}

/** The root of a snapshot, under a name that says of what it is and when; the id in its query is what counts. */
export function snapshotUri(id: string, volume: string, name: string): vscode.Uri {
  const path = `/${volume}@${name.replace(/\//g, '-')}`;
  return vscode.Uri.from({ scheme: fileScheme, path, query: id });
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
  const [, first = '', path = ''] = /^\/?([^/]*)(.*)$/s.exec(uri.path) ?? [];
  const volume = first.includes('@') && snapshotId.test(uri.query) ? snapshotFilesOf(uri.query) : first;
  return { volume, path: path === '' ? '/' : path };
}
