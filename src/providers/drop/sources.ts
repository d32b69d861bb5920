/** Sorts what was dropped, chosen or pasted by how its bytes can be had. */
import * as vscode from 'vscode';
import { BerthError } from '../../api';
import { fileScheme, rowScheme } from '../../ui/ids';
import { placeOf, type VolumePlace } from '../files/volume-uri';
import { baseName } from '../../api/rules/volume-path';
import type { Incoming } from './stream-in';

const { t } = vscode.l10n;
export const uriListMime = 'text/uri-list';

export interface Sources {
  /** Paths of this machine: the engine reads them itself. */
  local: string[];
  /** Places in volumes: the engine copies or moves them itself. */
  places: VolumePlace[];
  /** URIs of other file systems, to be read through VS Code. */
  foreign: vscode.Uri[];
  /** Files of a browser: contents only. */
  files: vscode.DataTransferFile[];
}

/** By scheme: paths of this machine, places in volumes, and those that only VS Code can read. */
export function sortUris(uris: readonly vscode.Uri[]): Sources {
  const sources: Sources = { local: [], places: [], foreign: [], files: [] };
  for (const uri of uris) {
    if (uri.scheme === 'file') {
      sources.local.push(uri.fsPath);
    } else if (uri.scheme === fileScheme) {
      sources.places.push(placeOf(uri));
    } else if (uri.scheme !== rowScheme) {
      sources.foreign.push(uri);
    }
  }
  return sources;
}

/** `text/uri-list` (RFC 2483): one per line, `#` starts a comment. Bad lines are left out. */
export function parseUriList(text: string): vscode.Uri[] {
  return text.split(/\r?\n/).flatMap((line) => {
    if (line.trim() === '' || line.startsWith('#')) {
      return [];
    }
    try {
      return [vscode.Uri.parse(line.trim(), true)];
    } catch {
      return [];
    }
  });
}

/**
 * A desktop gives the URIs of dropped files, a browser only their contents. Files that come with a URI are in the
 * list too, and are not taken twice.
 */
export async function sourcesOf(transfer: vscode.DataTransfer): Promise<Sources> {
  const list = await transfer.get(uriListMime)?.asString();
  const uris = parseUriList(list ?? '');
  const files: vscode.DataTransferFile[] = [];
  for (const [, item] of transfer) {
    const file = item.asFile();
    if (file?.uri !== undefined) {
      uris.push(file.uri);
    } else if (file !== undefined) {
      files.push(file);
    }
  }
  const unique = new Map(uris.map((uri) => [uri.toString(), uri]));
  return { ...sortUris([...unique.values()]), files: uris.length > 0 ? [] : files };
}

/** A browser gives a folder as a file that can't be read, and nothing of what is in it. */
export function incomingFile(file: vscode.DataTransferFile): Incoming {
  const name = baseName(file.name);
  let content: Uint8Array | undefined;
  const read = async (): Promise<Uint8Array> => {
    try {
      return await file.data();
    } catch (error) {
      const text = t('VS Code in a browser can’t read dropped folders.');
      throw new BerthError('not_supported', text, { cause: error });
    }
  };
  return {
    name,
    read: async () => {
      const known = content;
      content = undefined;
      return known ?? read();
    },
    // Its size is known by its content alone, which is kept until it is written.
    facts: async () => ({ size: (content ??= await read()).byteLength }),
  };
}
