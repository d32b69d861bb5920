/** Which volume, and which snapshot, a name on the command line means. */
import { asBerthError, type Snapshot } from '../api';
import { homeVolumeOf } from '../api/rules/home-volume';
import { isName } from '../api/rules/names';
import type { EngineClient } from '../client/engine-client';

/** A workspace goes before a volume of its name: it is what people know. */
export async function volumeOf(client: EngineClient, given: string, signal?: AbortSignal): Promise<string> {
  try {
    return (await client.call('workspaces.get', { params: { name: given }, ...aborted(signal) })).homeVolume;
  } catch (error) {
    if (!['not_found', 'bad_request'].includes(asBerthError(error).code)) {
      throw error;
    }
    return given;
  }
}

/** The same, also of a workspace that is gone and whose snapshots are not. */
export async function snapshotsOf(
  client: EngineClient,
  given: string,
  signal?: AbortSignal,
): Promise<string> {
  const volume = await volumeOf(client, given, signal);
  const home = homeVolumeOf(given);
  return volume === given && isName(home) && (await listOf(client, home, signal)).length > 0 ? home : volume;
}

/** All of a volume, newest first. */
export function listOf(client: EngineClient, volume: string, signal?: AbortSignal): Promise<Snapshot[]> {
  return client.call('snapshots.list', { params: { volume }, ...aborted(signal) });
}

/** By its id or its name. Throws `not_found`. */
export function snapshotOf(
  client: EngineClient,
  volume: string,
  snapshot: string,
  signal?: AbortSignal,
): Promise<Snapshot> {
  return client.call('snapshots.get', { params: { volume, snapshot }, ...aborted(signal) });
}

function aborted(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
