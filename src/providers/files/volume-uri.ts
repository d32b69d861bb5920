/**
 * `berth:/<volume>/<path>`: the volume is the first name of the path, as VS Code names folders, windows, tabs and recent
 * files by their path alone. There is no authority: VS Code keeps one in lower case. What is no volume has a
 * name that none can have in its place (`rootfs@<workspace>`, `snapshot@<id>`). A snapshot that is open as a folder goes by
 * what people call it, `berth:/<volume>@<name>/<path>?<id>`; so does another folder than that of a volume,
 * `berth:/<folder> (<volume>)/<path>?<volume>:/<path of the folder>`. The older `berth://<volume>/<path>` still opens.
 */
import * as vscode from 'vscode';
import { snapshotIdPattern } from '../../api/rules/names';
import { snapshotFilesOf, workspaceOfRoot } from '../../api/rules/root-files';
import { baseName, isInside } from '../../api/rules/volume-path';
import { fileScheme } from '../../ui/ids';

const snapshotId = new RegExp(snapshotIdPattern);

export interface VolumePlace {
  volume: string;
  path: string;
}

/** The URI of a path in a volume: below the folder of this window that it is in, where that has a name of its own. */
export function volumeUri(volume: string, path: string): vscode.Uri {
  for (const { uri } of vscode.workspace.workspaceFolders ?? []) {
    const folder = namedFolder(uri);
    if (folder?.volume === volume && isInside(path, folder.path)) {
      return uri.with({ path: uri.path + below(folder.path, path) });
    }
  }
  return plainUri(volume, path);
}

/** The URI of a path in a volume, whatever is open. */
export function plainUri(volume: string, path: string): vscode.Uri {
  return vscode.Uri.from({ scheme: fileScheme, path: path === '/' ? `/${volume}` : `/${volume}${path}` });
}

/** A folder under a name that says of what it is (`nameOfFolder`); the place in its query is what counts. */
export function folderUri({ volume, path }: VolumePlace, name: string): vscode.Uri {
  return vscode.Uri.from({ scheme: fileScheme, path: `/${oneName(name)}`, query: `${volume}:${path}` });
}

/** What people call a folder: by its volume or workspace, and by its own name where it is not the whole. */
export function nameOfFolder({ volume, path }: VolumePlace, words: (volume: string) => string): string {
  const base = baseName(path);
  return base === '' ? words(volume) : base + ofVolume(volume);
}

const ofVolume = (volume: string): string => ` (${workspaceOfRoot(volume) ?? volume})`;
const oneName = (name: string): string => name.replace(/\//g, '-');

/**
 * The folder that a query names, where the path begins with a name of it: in its dialogs, VS Code keeps the query of the folder
 * they began in for whatever path is typed.
 */
function namedFolder({ scheme, path: given, query }: vscode.Uri): VolumePlace | undefined {
  const [, volume, path] = /^([^:/]+):(\/.*)$/s.exec(query) ?? [];
  if (scheme !== fileScheme || volume === undefined || path === undefined) {
    return undefined;
  }
  const [, first = ''] = /^\/([^/]*)/.exec(given) ?? [];
  const [base, ending] = [oneName(baseName(path)), ofVolume(volume)];
  // The words for the whole of it are those of the language that it was opened in.
  const isNamed = base === '' ? first.endsWith(ending) : first === base + ending;
  return isNamed ? { volume, path } : undefined;
}

const below = (folder: string, path: string): string =>
  folder === '/' ? path.replace(/^\/$/, '') : path.slice(folder.length);

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
  const folder = namedFolder(uri);
  if (folder !== undefined) {
    return { volume: folder.volume, path: folder.path.replace(/\/$/, '') + path || '/' };
  }
  const volume = first.includes('@') && snapshotId.test(uri.query) ? snapshotFilesOf(uri.query) : first;
  return { volume, path: path === '' ? '/' : path };
}
