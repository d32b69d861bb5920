/** Where entries of a tar may go on this machine. */
import { join } from 'node:path';

const windows = process.platform === 'win32';
const windowsForbidden = /[<>:"\\|?*\p{Cc}]|[ .]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/iu;

/** The components of an entry's name; undefined when it would lead anywhere else than below where it is unpacked. */
export function safeParts(name: string): string[] | undefined {
  if (name.startsWith('/') || name.includes('\0')) {
    return undefined;
  }
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  return parts.includes('..') ? undefined : parts;
}

/** Why this machine can't have a file of that name; undefined when it can. */
export function unusableName(parts: readonly string[]): string | undefined {
  if (!windows) {
    return undefined;
  }
  const bad = parts.find((part) => windowsForbidden.test(part));
  return bad === undefined ? undefined : `Windows does not allow the name ${JSON.stringify(bad)}`;
}

/**
 * True for a link that stays below the folder it is unpacked into, whatever other links of which this is true there are.
 * `linkParts` lead to it through folders only, no links. `..` counts at its start only: after a name it could go back
 * from wherever that name, being a link, leads to.
 */
export function staysInside(linkParts: readonly string[], target: string): boolean {
  if (target.startsWith('/') || target === '' || (windows && /^[a-z]:|\\/i.test(target))) {
    return false;
  }
  const parts = target.split('/').filter((part) => part !== '' && part !== '.');
  const firstName = parts.findIndex((part) => part !== '..');
  const up = firstName < 0 ? parts.length : firstName;
  return up < linkParts.length && !parts.slice(up).includes('..');
}

/** The path of an entry in a folder of this machine; the parts are safe. */
export function below(folder: string, parts: readonly string[]): string {
  return join(folder, ...parts);
}
