/** `NAME:/path`, `volume:NAME:/path`, or a path of this machine. */
import { posix } from 'node:path';
import { BerthError } from '../../api';

export type Place =
  | { kind: 'local'; path: string }
  /** `named`: a workspace's name, or a volume's when there is no such workspace. */
  | { kind: 'named'; name: string; path: string; slash: boolean }
  | { kind: 'volume'; name: string; path: string; slash: boolean };

/** Where the home volume appears inside a workspace: absolute paths copied from its shell mean the volume. */
const homes = ['/home/workspace', '/workspace'];

/** Reads one side of `berth cp`. Like scp and docker: what starts with `.` or `/` is always local. */
export function parsePlace(text: string, platform: NodeJS.Platform = process.platform): Place {
  if (text === '') {
    throw new BerthError('bad_request', 'A path is empty.');
  }
  if (/^[./~\\]/.test(text) || (platform === 'win32' && /^[a-z]:[\\/]/i.test(text))) {
    return { kind: 'local', path: text };
  }
  const volume = /^volume:([^:/]+)(?::(.*))?$/s.exec(text);
  if (volume !== null) {
    return remote('volume', volume[1] ?? '', volume[2] ?? '');
  }
  const named = /^([^:/\\]+):(.*)$/s.exec(text);
  return named === null ? { kind: 'local', path: text } : remote('named', named[1] ?? '', named[2] ?? '');
}

/** Reads an argument that is never local: `NAME`, `NAME:/path`, `volume:NAME[:/path]`. */
export function parseRemote(text: string): Exclude<Place, { kind: 'local' }> {
  const place = parsePlace(text.includes(':') ? text : `${text}:`);
  if (place.kind === 'local') {
    throw new BerthError('bad_request', `"${text}" is a path of this machine.`, {
      hint: 'Give NAME:/path for a workspace, volume:NAME:/path for a volume.',
    });
  }
  return place;
}

function remote<K extends 'named' | 'volume'>(
  kind: K,
  name: string,
  path: string,
): { kind: K; name: string; path: string; slash: boolean } {
  if (path.split('/').includes('..')) {
    throw new BerthError('bad_request', `The path "${path}" contains "..".`, {
      hint: "Give a path from the volume's root.",
    });
  }
  const absolute = posix.normalize(`/${kind === 'named' ? fromHome(path) : path}`);
  const trimmed = absolute.length > 1 ? absolute.replace(/\/$/, '') : absolute;
  return { kind, name, path: trimmed, slash: path === '' || path.endsWith('/') };
}

function fromHome(path: string): string {
  if (path === '~' || path.startsWith('~/')) {
    return path.slice(1);
  }
  const home = homes.find((candidate) => path === candidate || path.startsWith(`${candidate}/`));
  return home === undefined ? path : path.slice(home.length);
}
