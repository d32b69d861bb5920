/** Names on the command line turned into volumes of the engine. */
import { BerthError, asBerthError, type FileEntry } from '../api';
import type { EngineClient } from '../client/engine-client';
import type { Place } from './parse/place';

export interface VolumePath {
  volume: string;
  path: string;
}

/** The volume that a place means: the home volume of a workspace, else the volume of that name. */
export async function resolveVolume(
  client: EngineClient,
  place: Exclude<Place, { kind: 'local' }>,
  signal?: AbortSignal,
): Promise<VolumePath> {
  const { name, path } = place;
  const abort = signal === undefined ? {} : { signal };
  if (place.kind === 'volume') {
    return { volume: name, path };
  }
  const workspace = await client
    .call('workspaces.get', { params: { name }, ...abort })
    .catch(unlessCode('not_found', 'bad_request'));
  if (workspace !== undefined) {
    return { volume: workspace.homeVolume, path };
  }
  const volume = await client
    .call('volumes.get', { params: { volume: name }, ...abort })
    .catch(unlessCode('not_found', 'bad_request'));
  if (volume === undefined) {
    throw new BerthError('not_found', `There is no workspace and no volume named "${name}".`, {
      hint: '`berth list` and `berth volume list` show what there is. A local path with a colon starts with `./`.',
    });
  }
  return { volume: name, path };
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
