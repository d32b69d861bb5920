/** Names on the command line turned into files of the engine. */
import { BerthError, asBerthError, type FileEntry, type FileLocation } from '../api';
import { rootFilesOf, snapshotFilesOf } from '../api/rules/root-files';
import type { EngineClient } from '../client/engine-client';
import { inVolume, type Place } from './parse/place';
import { snapshotOf, snapshotsOf } from './snapshot-names';

export interface VolumePath {
  volume: string;
  path: string;
}

/** What a name means; of a path of a workspace also what the workspace sees there. */
export interface Located extends VolumePath {
  seen?: FileLocation & { workspace: string };
}

export interface LocateOptions {
  /** Also when the path itself is a link. */
  follow?: boolean;
  signal?: AbortSignal;
}

/**
 * What its shell finds at a path of a workspace, else that path of the volume of that name. Throws `not_found` where
 * neither a workspace nor a volume has the name.
 */
export async function resolvePlace(
  client: EngineClient,
  place: Exclude<Place, { kind: 'local' }>,
  { follow = false, signal }: LocateOptions = {},
): Promise<Located> {
  const { name, path } = place;
  const abort = signal === undefined ? {} : { signal };
  if (place.kind === 'volume') {
    return { volume: name, path };
  }
  if (place.kind === 'snapshot') {
    const of = place.of === undefined ? undefined : await snapshotsOf(client, place.of, signal);
    const id = of === undefined ? name : (await snapshotOf(client, of, name, signal)).id;
    return { volume: snapshotFilesOf(id), path };
  }
  const workspace = await client
    .call('workspaces.get', { params: { name }, ...abort })
    .catch(unlessCode('not_found', 'bad_request'));
  if (workspace !== undefined) {
    return locate(client, name, path, { follow, ...abort });
  }
  const volume = await client
    .call('volumes.get', { params: { volume: name }, ...abort })
    .catch(unlessCode('not_found', 'bad_request'));
  if (volume === undefined) {
    throw new BerthError('not_found', `There is no workspace and no volume named "${name}".`, {
      hint: '`berth list` and `berth volume list` show what there is. A local path with a colon starts with `./`.',
    });
  }
  return { volume: volume.name, path: inVolume(path) };
}

/** A path as the shell of a workspace reads it that starts in the home. */
export async function locate(
  client: EngineClient,
  workspace: string,
  path: string,
  { follow = false, signal }: LocateOptions = {},
): Promise<Located> {
  const found = await client.call('workspaces.locate', {
    params: { name: workspace },
    query: { path: path === '' ? '.' : path, follow: follow || /(?:^|\/)\.?$/.test(path) },
    ...(signal !== undefined && { signal }),
  });
  return { volume: found.volume, path: found.path, seen: { ...found, workspace } };
}

/** The same place with all that is mounted below it, for what reads or writes whole trees. */
export function withMounts({ seen, ...at }: Located): VolumePath {
  return seen === undefined || seen.mounts.length === 0
    ? at
    : { volume: rootFilesOf(seen.workspace), path: seen.inside };
}

/** For what changes files: refuses where the workspace's shell could not. Throws `read_only`. */
export function writable(at: Located): Located {
  const { seen } = at;
  if (seen?.readOnly !== true) {
    return at;
  }
  const other = at.volume === rootFilesOf(seen.workspace) ? undefined : `volume:${at.volume}:${at.path}`;
  throw new BerthError('read_only', `${seen.inside} is read-only in ${seen.workspace}.`, {
    ...(other !== undefined && {
      hint: `${other} names the same in the volume itself, which can be changed.`,
    }),
  });
}

/** What is missing at an absolute path but is in the home: older versions read such paths from there. */
export async function missingHint(
  client: EngineClient,
  { seen }: Located,
): Promise<{ hint: string } | undefined> {
  if (seen === undefined || !seen.inside.startsWith('/')) {
    return undefined;
  }
  const inHome = seen.inside.slice(1);
  const found = await locate(client, seen.workspace, inHome)
    .then((at) => statOf(client, at))
    .catch(() => undefined);
  return found === undefined
    ? undefined
    : {
        hint: `Paths that start with "/" are those of the shell inside. In the home it is ${seen.workspace}:${inHome}`,
      };
}

/** What is at a path, or undefined when there is nothing. */
export function statOf(client: EngineClient, at: VolumePath): Promise<FileEntry | undefined> {
  return client
    .call('files.stat', { params: { volume: at.volume }, query: { path: at.path } })
    .catch(unlessCode('path_not_found'));
}

/** A folder, or a link to one inside the volume. */
export function isFolder(entry: FileEntry): boolean {
  return entry.type === 'directory' || (entry.type === 'symlink' && entry.targetType === 'directory');
}

function unlessCode(...codes: readonly string[]): (error: unknown) => undefined {
  return (error) => {
    if (!codes.includes(asBerthError(error).code)) {
      throw error;
    }
    return undefined;
  };
}
