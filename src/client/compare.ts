/** Compares two trees of files, and reports what has changed as it comes. */
import { BerthError, fromErrorBody, parseErrorBody } from '../api/errors';
import type { Change, CompareEnd, CompareEvent, CompareFailure } from '../api/files/compare';
import { fillPath, streamPaths } from '../api/paths';
import type { EngineClient } from './engine-client';
import { readEvents } from './read-events';
import { wrapTransportError } from './transport';

export interface ComparedPlace {
  volume: string;
  path: string;
}

export interface CompareListener {
  changes(changes: Change[]): void;
  failed?(failed: CompareFailure[]): void;
}

/** `full` reads also what seems unchanged. Resolves with the counts at its end. Throws what is wrong with the two places, `cancelled`, `gone` when the engine ends. */
export async function compare(
  client: EngineClient,
  before: ComparedPlace,
  after: ComparedPlace,
  listener: CompareListener,
  signal: AbortSignal,
  { full = false }: { full?: boolean } = {},
): Promise<CompareEnd> {
  const query = new URLSearchParams({ path: before.path, with: after.volume, withPath: after.path });
  if (full) {
    query.set('full', 'true');
  }
  const response = await client.transport.open({
    method: 'GET',
    path: `${fillPath(streamPaths.fileCompare, { volume: before.volume })}?${query.toString()}`,
    headers: { accept: 'text/event-stream' },
    signal,
    ownConnection: true,
  });
  let last: CompareEvent | undefined;
  const deliver = (payload: unknown): void => {
    const event = (last = payload as CompareEvent);
    if ('changes' in event) {
      listener.changes(event.changes);
    } else if ('failed' in event) {
      listener.failed?.(event.failed);
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
    throw new BerthError('gone', 'The engine ended before the comparison did.');
  }
  return last.end;
}
