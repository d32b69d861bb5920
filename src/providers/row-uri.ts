/** Names of rows that are no files, by which VS Code asks what marks them. */
import * as vscode from 'vscode';
import { rowScheme } from '../ui/ids';

/** `fixed`: a file or folder inside of a workspace that can't be changed there, though its volume can. */
export type DecoratedKind = 'workspace' | 'volume' | 'mount' | 'root' | 'fixed';

/** The URI of a row; a mount is named by its workspace and where it is mounted. */
export function decorated(kind: DecoratedKind, name: string, place = ''): vscode.Uri {
  return vscode.Uri.from({ scheme: rowScheme, authority: kind, path: `/${name}${place}` });
}

/** undefined for what is no such row. */
export function rowNamed(uri: vscode.Uri): { kind: string; name: string; place: string } | undefined {
  const [, name, place = ''] = /^\/([^/]+)(\/.*)?$/.exec(uri.path) ?? [];
  return uri.scheme === rowScheme && name !== undefined ? { kind: uri.authority, name, place } : undefined;
}
