/** Finds files of a volume, or lines in them, and tells them as they come. */
import { BerthError, fromErrorBody, parseErrorBody } from '../api/errors';
import type { FindEnd, FindEvent, FindQuery, FoundLine } from '../api/files/find';
import { fillPath, streamPaths } from '../api/paths';
import type { EngineClient } from './engine-client';
import { readEvents } from './read-events';
import { wrapTransportError } from './transport';

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
  const fields = Object.entries(query).map(([name, value]) => [name, String(value)] as [string, string]);
  const response = await client.transport.open({
    method: 'GET',
    path: `${fillPath(streamPaths.fileFind, { volume })}?${new URLSearchParams(fields).toString()}`,
    headers: { accept: 'text/event-stream' },
    signal,
    ownConnection: true,
  });
  let last: FindEvent | undefined;
  const deliver = (payload: unknown): void => {
    const event = (last = payload as FindEvent);
    if ('files' in event) {
      listener.files?.(event.files);
    } else if ('lines' in event) {
      listener.lines?.(event.lines);
    }
  };
  await readEvents(response, deliver).catch((error: unknown) => {
    throw wrapTransportError(error);
  });
  if (last !== undefined && 'error' in last) {
    const body = parseErrorBody({ error: last.error });
    throw body === undefined ? new BerthError('internal', last.error.message) : fromErrorBody(body);
  }
  if (last === undefined || !('end' in last)) {
    throw new BerthError('gone', 'The engine ended before the search did.');
  }
  return last.end;
}
