/** Where `berth cp` copies to. */
import { lstat, realpath, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { BerthError, type FileEntry } from '../../api';
import type { EngineClient } from '../../client/engine-client';
import type { TypedPaths } from '../typed-paths';
import type { CopyPlace, CopyWords } from './copy-place';
import { rawPath, withRealParent } from './sources';
import { parsePlace, type Place } from '../parse/place';
import { isFolder, resolvePlace, statOf, withMounts, writable, type VolumePath } from '../remote';

export interface CopyTarget {
  /** As it was given. */
  text: string;
  kind: 'folder' | 'file' | 'dangling' | 'missing';
  place: CopyPlace;
  /** Of a link to a file, or to nothing: the link itself. */
  link?: CopyPlace;
  /** What is mounted in the folder, by the first name of its path: there, everything must be reached from the root. */
  mounted?: { names: readonly string[]; place: VolumePath };
  /** Only a folder may be named with `/` or `/.` at the end. */
  ending: 'slash' | 'dot' | undefined;
}

/** Looks at where it is to go. Throws `path_not_found`. */
export function openTarget(
  client: EngineClient,
  text: string,
  { cwd, paths }: CopyWords,
): Promise<CopyTarget> {
  const place = parsePlace(text);
  return place.kind === 'local'
    ? openLocal(place.path, text, cwd)
    : paths.during(openRemote(client, place, text, paths));
}

async function openRemote(
  client: EngineClient,
  place: Exclude<Place, { kind: 'local' }>,
  text: string,
  paths: TypedPaths,
): Promise<CopyTarget> {
  const ending = endingOf(place.kind === 'named' ? place.path : text);
  const located = writable(await resolvePlace(client, place, { follow: true }));
  const at = { volume: located.volume, path: located.path };
  paths.add(at.path, text);
  const entry = await statOf(client, at);
  if (entry !== undefined && isFolder(entry)) {
    const names = located.seen?.mounts.map(({ path }) => path.split('/')[0] ?? '') ?? [];
    return { text, kind: 'folder', place: at, ending, mounted: { names, place: withMounts(located) } };
  }
  const link = await linkAt(client, place);
  const kind = kindOf(entry, link);
  return { text, kind, place: at, ending, ...(link !== undefined && { link }) };
}

function kindOf(entry: FileEntry | undefined, link: CopyPlace | undefined): CopyTarget['kind'] {
  if (entry !== undefined) {
    // A volume that is named as such may answer with the link itself.
    return entry.type === 'symlink' && entry.targetType === 'missing' ? 'dangling' : 'file';
  }
  return link === undefined ? 'missing' : 'dangling';
}

async function linkAt(
  client: EngineClient,
  place: Exclude<Place, { kind: 'local' }>,
): Promise<CopyPlace | undefined> {
  const path = place.path.replace(/(?<=.)\/+$/, '');
  const { volume, path: at } = await resolvePlace(client, { ...place, path });
  const entry = await statOf(client, { volume, path: at });
  return entry?.type === 'symlink' ? { volume, path: at } : undefined;
}

async function openLocal(path: string, text: string, cwd: string): Promise<CopyTarget> {
  const ending = endingOf(text);
  const raw = rawPath(path, cwd);
  const found = await stat(raw).catch(() => undefined);
  if (found?.isDirectory() === true) {
    return { text, kind: 'folder', place: { local: await realpath(raw) }, ending };
  }
  const parent = dirname(raw.replace(/(?<=.)[/\\]+$/, ''));
  if (!(await stat(parent).catch(() => undefined))?.isDirectory()) {
    throw new BerthError('path_not_found', `There is no folder "${parent}" to put "${basename(raw)}" into.`);
  }
  const local = await withRealParent(raw);
  const isLink = (await lstat(local).catch(() => undefined))?.isSymbolicLink() === true;
  const link = { ...(isLink && { link: { local } }) };
  if (found !== undefined) {
    return { text, kind: 'file', place: { local: await realpath(raw) }, ending, ...link };
  }
  // `file/` is nothing that could be made.
  const blocked = ending !== undefined && (await lstat(local).catch(() => undefined)) !== undefined;
  const kind = isLink ? 'dangling' : blocked ? 'file' : 'missing';
  return { text, kind, place: { local }, ending, ...link };
}

function endingOf(path: string): CopyTarget['ending'] {
  if (/(?:^|[/:\\])\.{1,2}$/.test(path)) {
    return 'dot';
  }
  return /[/\\]$/.test(path) ? 'slash' : undefined;
}
