/** What `berth cp SRC... DST` means, with the rules of `cp -r` and `docker cp`. */
import { lstat, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, posix } from 'node:path';
import { BerthError, type TransferCreate } from '../api';
import type { EngineClient } from '../client/engine-client';
import { parsePlace } from './parse/place';
import { localPath } from './parse/sources';
import { isFolder, resolveVolume, statOf, type VolumePath } from './remote';

type Local = { local: string };
type Source = (Local | VolumePath) & { folder: boolean };
type Target = (Local | VolumePath) & { exists: 'folder' | 'file' | 'no'; slash: boolean };

export interface CopyPlan {
  requests: TransferCreate[];
  /** A folder that must be made first (`cp dir/. NEW`). */
  makeFolder: Local | VolumePath | undefined;
}

export async function planCopy(
  client: EngineClient,
  sources: readonly string[],
  target: string,
  cwd: string,
): Promise<CopyPlan> {
  const found = await Promise.all(sources.map((source) => openSource(client, source, cwd)));
  const to = await openTarget(client, target, cwd);
  if (to.slash && to.exists === 'file') {
    throw new BerthError('not_a_directory', `"${target}" is a file, not a folder.`);
  }
  const contentsOnly = sources.some((source) => /(?:^|[/:])\.$/.test(source));
  const into = to.exists === 'folder' || contentsOnly;
  if (!into) {
    return { requests: [exactly(found, to, target)], makeFolder: undefined };
  }
  const makeFolder = to.exists === 'no' ? placeOf(to) : undefined;
  return { requests: grouped(found.flat()).map((from) => ({ from, to: placeOf(to) })), makeFolder };
}

/** One thing under a new name, or over a file. */
function exactly(found: readonly Source[][], to: Target, target: string): TransferCreate {
  const [source] = found.flat();
  if (found.length > 1 || source === undefined || to.slash) {
    throw new BerthError('path_not_found', `There is no folder "${target}".`, {
      hint: 'Make it first, with mkdir or `berth mkdir`.',
    });
  }
  if (source.folder && to.exists === 'file') {
    throw new BerthError('not_a_directory', `"${target}" is a file: a folder can't be copied over it.`);
  }
  const [from] = grouped([source]);
  if (from === undefined) {
    throw new BerthError('bad_request', 'Nothing to copy.');
  }
  return { from, to: placeOf(to), exact: true };
}

function placeOf(place: Local | VolumePath): Local | VolumePath {
  return 'local' in place ? { local: place.local } : { volume: place.volume, path: place.path };
}

/** One request for all local sources, one for each volume. */
function grouped(sources: readonly Source[]): TransferCreate['from'][] {
  const local = sources.flatMap((source) => ('local' in source ? [source.local] : []));
  const byVolume = new Map<string, string[]>();
  for (const source of sources) {
    if (!('local' in source)) {
      byVolume.set(source.volume, [...(byVolume.get(source.volume) ?? []), source.path]);
    }
  }
  return [
    ...(local.length > 0 ? [{ local }] : []),
    ...[...byVolume].map(([volume, paths]) => ({ volume, paths })),
  ];
}

/** The things that a source names: itself, or what is in it when it ends with `/.`. */
async function openSource(client: EngineClient, text: string, cwd: string): Promise<Source[]> {
  const place = parsePlace(text);
  if (place.kind === 'local') {
    return openLocalSource(localPath(place.path, cwd), text);
  }
  const at = await resolveVolume(client, place);
  const entry = await statOf(client, at);
  if (entry === undefined) {
    throw new BerthError('path_not_found', `There is nothing at "${text}".`);
  }
  if (!/[/:]\.$/.test(text) && at.path !== '/') {
    return [{ ...at, folder: isFolder(entry) }];
  }
  const { entries } = await client.call('files.list', {
    params: { volume: at.volume },
    query: { path: at.path, limit: 1_000_000 },
  });
  return entries.map((each) => ({
    volume: at.volume,
    path: posix.join(at.path, each.name),
    folder: isFolder(each),
  }));
}

async function openLocalSource(path: string, text: string): Promise<Source[]> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) {
    throw new BerthError('path_not_found', `There is nothing at "${text}" on this machine.`);
  }
  if (!/(?:^|[/\\])\.$/.test(text)) {
    return [{ local: path, folder: found.isDirectory() }];
  }
  const entries = await readdir(path, { withFileTypes: true });
  return entries.map((entry) => ({ local: join(path, entry.name), folder: entry.isDirectory() }));
}

async function openTarget(client: EngineClient, text: string, cwd: string): Promise<Target> {
  const place = parsePlace(text);
  if (place.kind !== 'local') {
    const at = await resolveVolume(client, place);
    const entry = await statOf(client, at);
    return { ...at, exists: existsAs(entry === undefined ? undefined : isFolder(entry)), slash: place.slash };
  }
  const local = localPath(place.path, cwd);
  const found = await stat(local).catch(() => undefined);
  if (found === undefined && !(await stat(dirname(local)).catch(() => undefined))?.isDirectory()) {
    throw new BerthError(
      'path_not_found',
      `There is no folder "${dirname(local)}" to put "${basename(local)}" into.`,
    );
  }
  return { local, exists: existsAs(found?.isDirectory()), slash: /[/\\]$/.test(place.path) };
}

function existsAs(isDirectory: boolean | undefined): 'folder' | 'file' | 'no' {
  return isDirectory === undefined ? 'no' : isDirectory ? 'folder' : 'file';
}
