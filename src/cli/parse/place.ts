/** `NAME:path`, `volume:NAME:/path`, `snapshot:ID:/path`, `snapshot:NAME/SNAPSHOT:/path`, or a path of this machine. */
import { posix } from 'node:path';
import { BerthError } from '../../api';
import { hasParent } from '../../api/rules/volume-path';

export type Place =
  | { kind: 'local'; path: string }
  /**
   * `named`: a workspace's name, or a volume's when there is no such workspace. The path is as it was given: what it
   * means, its links say.
   */
  | { kind: 'named'; name: string; path: string }
  /** From the volume's root. */
  | { kind: 'volume'; name: string; path: string }
  /** From its root; `of` is a volume or a workspace, and missing for an id. */
  | { kind: 'snapshot'; of?: string; name: string; path: string };

/**
 * Reads one side of `berth cp`. Like scp and docker: what starts with `.` or `/` is always local. Throws `bad_request`
 * for an empty path, and for `..` in a volume.
 */
export function parsePlace(text: string, platform: NodeJS.Platform = process.platform): Place {
  if (text === '') {
    throw new BerthError('bad_request', 'A path is empty.');
  }
  if (/^[./~\\]/.test(text) || (platform === 'win32' && /^[a-z]:[\\/]/i.test(text))) {
    return { kind: 'local', path: text };
  }
  const volume = /^volume:([^:/]+)(?::(.*))?$/s.exec(text);
  if (volume !== null) {
    return { kind: 'volume', name: volume[1] ?? '', path: inVolume(volume[2] ?? '') };
  }
  const snapshot = /^snapshot:(?:([^:/]+)\/)?([^:/]+)(?::(.*))?$/s.exec(text);
  if (snapshot !== null) {
    const [, of, name = '', path = ''] = snapshot;
    return { kind: 'snapshot', ...(of !== undefined && { of }), name, path: inVolume(path) };
  }
  const named = /^([^:/\\]+):(.*)$/s.exec(text);
  return named === null
    ? { kind: 'local', path: text }
    : { kind: 'named', name: named[1] ?? '', path: named[2] ?? '' };
}

/**
 * Reads an argument that is never local: `NAME`, `NAME:/path`, `volume:NAME[:/path]`, `snapshot:…[:/path]`. Throws
 * `bad_request` for a local path.
 */
export function parseRemote(text: string): Exclude<Place, { kind: 'local' }> {
  const place = parsePlace(text.includes(':') ? text : `${text}:`);
  if (place.kind === 'local') {
    throw new BerthError('bad_request', `"${text}" is a path of this machine.`, {
      hint: 'Give NAME:path for a workspace, volume:NAME:/path for a volume.',
    });
  }
  return place;
}

/** A path of a volume: absolute from its root, whether it says so or not. Throws `bad_request` for one with `..`. */
export function inVolume(path: string): string {
  if (hasParent(path)) {
    throw new BerthError('bad_request', `The path "${path}" contains "..".`, {
      hint: "Give a path from the volume's root.",
    });
  }
  const absolute = posix.normalize(`/${path}`);
  return absolute.length > 1 ? absolute.replace(/\/$/, '') : absolute;
}
