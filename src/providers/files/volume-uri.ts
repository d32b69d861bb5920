/** `berth://<volume>/<path>`: the volume is the authority, the path is from the volume's root. */
import * as vscode from 'vscode';
import { fileScheme } from '../../ui/ids';

export interface VolumePlace {
  volume: string;
  path: string;
}

/** The URI of a path in a volume. */
export function volumeUri(volume: string, path: string): vscode.Uri {
  return vscode.Uri.from({ scheme: fileScheme, authority: volume, path });
}

/** What a URI of ours means. */
export function placeOf(uri: vscode.Uri): VolumePlace {
  return { volume: uri.authority, path: uri.path === '' ? '/' : uri.path };
}
