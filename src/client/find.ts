/** Finds files of a volume, or lines in them, and tells them as they come. */
import type { FindEnd, FindEvent, FindQuery, FoundLine } from '../api/files/find';
import { fillPath, streamPaths } from '../api/paths';
import { askForEvents } from './ask-events';
import { streamQuery, type EngineClient } from './engine-client';

export interface FindListener {
  files?(paths: string[]): void;
  lines?(lines: FoundLine[]): void;
}

/** Resolves with the counts at its end. Throws what is wrong with the question, `cancelled`, `gone` when the engine ends. */
export async function find(
  client: EngineClient,
  volume: string,
  query: FindQuery,
  listener: FindListener,
  signal: AbortSignal,
): Promise<FindEnd> {
  const path = fillPath(streamPaths.fileFind, { volume }) + streamQuery<'files.find'>(query);
  const deliver = (event: FindEvent): void => {
    if ('files' in event) {
      listener.files?.(event.files);
    } else if ('lines' in event) {
      listener.lines?.(event.lines);
    }
  };
  const cutOff = 'The engine ended before the search did.';
  return askForEvents<FindEvent>(client, path, deliver, { signal, cutOff });
}
