/** What `berth cp` is to copy. */
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, posix } from 'node:path';
import type { Stats } from 'node:fs';
import { BerthError, type FileEntry, type FileType } from '../../api';
import type { EngineClient } from '../../client/engine-client';
import type { TypedPaths } from '../typed-paths';
import type { CopyPlace, CopyWords } from './copy-place';
import { parsePlace, type Place } from '../parse/place';
import { localPath } from '../parse/sources';
import { isFolder, missingHint, resolvePlace, statOf, withMounts, type VolumePath } from '../remote';

export interface CopyItem {
  at: CopyPlace;
  /** What it is to be called in a folder. */
  name: string;
  /** Of itself: a link that is copied as a link is a `symlink`. */
  type: FileType;
}

export interface CopySource {
  items: CopyItem[];
  /** What is in a folder was named (`dir/.`), not the folder. */
  isContents: boolean;
}

const maxLinks = 40;

/** Looks at what is to be copied. Throws `path_not_found`. */
export async function openSource(
  client: EngineClient,
  text: string,
  { cwd, paths }: CopyWords,
): Promise<CopySource> {
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
): Promise<CopySource> {
  const written = text.slice(text.lastIndexOf(':') + 1);
  const isContents = place.path === '' || place.path === '/' || /(?:^|\/)\.{1,2}$/.test(written);
  const isFollowed = isContents || written.endsWith('/');
  const located = await resolvePlace(client, place, { follow: isFollowed });
  paths.add(located.path, text);
  const whole = withMounts(located);
  const at = isFollowed && place.kind !== 'named' ? await followed(client, whole) : whole;
  const entry = await statOf(client, at);
  if (entry === undefined) {
    const hint = await missingHint(client, located);
    throw new BerthError('path_not_found', `There is nothing at "${text}".`, hint);
  }
  if (isFollowed && !isFolder(entry)) {
    throw new BerthError('not_a_directory', `"${text}" is not a folder.`);
  }
  if (isContents) {
    return { items: await contentsOf(client, at), isContents };
  }
  const name = posix.basename(place.path === '~' ? (located.seen?.inside ?? at.path) : place.path);
  return { items: [{ at, name, type: entry.type }], isContents };
}

async function contentsOf(client: EngineClient, { volume, path }: VolumePath): Promise<CopyItem[]> {
  const { entries } = await client.call('files.list', {
    params: { volume },
    query: { path, limit: 1_000_000 },
  });
  return entries.map(({ name, type }) => ({ at: { volume, path: posix.join(path, name) }, name, type }));
}

/** Of a volume that no workspace is asked about: links that stay in it. */
async function followed(client: EngineClient, at: VolumePath): Promise<VolumePath> {
  let { path } = at;
  for (let links = 0; links < maxLinks; links++) {
    const entry: FileEntry | undefined = await statOf(client, { ...at, path });
    if (entry?.linkTarget === undefined || entry.linkTarget.startsWith('/')) {
      break;
    }
    path = posix.resolve(posix.dirname(path), entry.linkTarget);
  }
  return { ...at, path };
}

async function openLocal(path: string, text: string, cwd: string): Promise<CopySource> {
  const isContents = /(?:^|[/\\])\.{1,2}$/.test(text);
  const isFollowed = isContents || /[/\\]$/.test(text);
  const raw = rawPath(path, cwd);
  const found = await (isFollowed ? stat(raw) : lstat(raw)).catch(() => undefined);
  if (found === undefined) {
    throw new BerthError('path_not_found', `There is nothing at "${text}" on this machine.`);
  }
  if (isFollowed && !found.isDirectory()) {
    throw new BerthError('not_a_directory', `"${text}" is not a folder.`);
  }
  const real = isFollowed ? await realpath(raw) : await withRealParent(raw);
  if (!isContents) {
    const name = basename(raw.replace(/[/\\]+$/, '')) || basename(real);
    return { items: [{ at: { local: real }, name, type: typeOf(found) }], isContents };
  }
  const entries = await readdir(real, { withFileTypes: true });
  const items = entries.map((entry) => ({
    at: { local: join(real, entry.name) },
    name: entry.name,
    type: typeOf(entry),
  }));
  return { items, isContents };
}

/** As it is written: where a link is followed by `..`, only the kernel knows where that leads. */
export function rawPath(path: string, cwd: string): string {
  if (path === '~' || path.startsWith('~/')) {
    return localPath('~', cwd) + path.slice(1);
  }
  return isAbsolute(path) ? path : `${cwd}/${path}`;
}

/** Without links on the way; the thing itself may be one. */
export async function withRealParent(raw: string): Promise<string> {
  const path = raw.replace(/(?<=.)[/\\]+$/, '');
  return join(await realpath(dirname(path)), basename(path));
}

/** The kind of a file of this machine in the words of the API. */
export function typeOf(found: Pick<Stats, 'isFile' | 'isDirectory' | 'isSymbolicLink'>): FileType {
  if (found.isDirectory()) {
    return 'directory';
  }
  return found.isSymbolicLink() ? 'symlink' : found.isFile() ? 'file' : 'other';
}
