/** Follows the changes below one path of a volume, over its own event stream, until disposed. */
import { BerthError, asBerthError } from '../api/errors';
import { fillPath, streamPaths } from '../api/paths';
import type { FileChange } from '../api/files/schemas';
import { streamQuery, type EngineClient } from './engine-client';
import { readEvents } from './read-events';

export interface WatchTarget {
  volume: string;
  path: string;
  recursive: boolean;
}

export interface WatchListener {
  /** From now on changes are seen. */
  opened?(): void;
  changes(changes: FileChange[]): void;
  /** It ended without being disposed: the volume is no longer watchable, or the engine went away. */
  ended(error: BerthError): void;
}

/** Starts at once; `dispose` ends it. Tried once: who listens decides whether to watch again. */
export function watchFiles(
  client: EngineClient,
  target: WatchTarget,
  listener: WatchListener,
): { dispose(): void } {
  const abort = new AbortController();
  follow(client, target, listener, abort.signal).catch((error: unknown) => {
    if (!abort.signal.aborted) {
      listener.ended(asBerthError(error));
    }
  });
  return { dispose: () => abort.abort() };
}

async function follow(
  client: EngineClient,
  { volume, path, recursive }: WatchTarget,
  listener: WatchListener,
  signal: AbortSignal,
): Promise<void> {
  const query = streamQuery<'files.watch'>({ path, recursive });
  const response = await client.transport.open({
    method: 'GET',
    path: fillPath(streamPaths.fileWatch, { volume }) + query,
    headers: { accept: 'text/event-stream' },
    signal,
    ownConnection: true,
  });
  listener.opened?.();
  await readEvents(response, (changes) => listener.changes(changes as FileChange[]));
  throw new BerthError('gone', `The engine ended the watch of ${volume}:${path}.`);
}
