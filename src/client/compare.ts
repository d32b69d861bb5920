/** Compares two trees of files, and reports what has changed as it comes. */
import type { Change, CompareEnd, CompareEvent, CompareFailure } from '../api/files/compare';
import { fillPath, streamPaths } from '../api/paths';
import { askForEvents } from './ask-events';
import { streamQuery, type EngineClient } from './engine-client';

export interface ComparedPlace {
  volume: string;
  path: string;
}

export interface CompareListener {
  changes(changes: Change[]): void;
  failed?(failed: CompareFailure[]): void;
}

/** `full` reads also what seems unchanged, `gitignore` leaves out what .gitignore files name. Resolves with the counts at its end. Throws what is wrong with the two places, `cancelled`, `gone` when the engine ends. */
export async function compare(
  client: EngineClient,
  before: ComparedPlace,
  after: ComparedPlace,
  listener: CompareListener,
  signal: AbortSignal,
  { full = false, gitignore = false }: { full?: boolean; gitignore?: boolean } = {},
): Promise<CompareEnd> {
  const query = streamQuery<'files.compare'>({
    ...{ path: before.path, with: after.volume, withPath: after.path },
    ...(full && { full }),
    ...(gitignore && { gitignore }),
  });
  const path = fillPath(streamPaths.fileCompare, { volume: before.volume }) + query;
  const deliver = (event: CompareEvent): void => {
    if ('changes' in event) {
      listener.changes(event.changes);
    } else if ('failed' in event) {
      listener.failed?.(event.failed);
    }
  };
  const cutOff = 'The engine ended before the comparison did.';
  return askForEvents<CompareEvent>(client, path, deliver, { signal, cutOff });
}
