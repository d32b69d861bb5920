import { failureOf } from '../api/rules/results';
import { BerthError } from '../api/errors';
import type { EngineClient } from './engine-client';
import { readEvents } from './read-events';
import { wrapTransportError } from './transport';

/**
 * Asks for what comes as server-sent events, of which the last one is `end` or `error`; each is handed to `deliver`. Answers the
 * end. Throws what the engine says is wrong, `cancelled`, and `gone` with `cutOff` when the engine ends.
 */
export async function askForEvents<Event extends object>(
  client: EngineClient,
  path: string,
  deliver: (event: Event) => void,
  { signal, cutOff }: { signal: AbortSignal; cutOff: string },
): Promise<Extract<Event, { end: unknown }>['end']> {
  const headers = { accept: 'text/event-stream' };
  const response = await client.transport.open({ method: 'GET', path, headers, signal, ownConnection: true });
  let last: Extract<Event, { end: unknown }> | { error: { message: string } } | undefined;
  const take = (payload: unknown): void => {
    last = payload as typeof last;
    deliver(payload as Event);
  };
  await readEvents(response, take).catch((error: unknown) => {
    throw wrapTransportError(error);
  });
  if (last !== undefined && 'error' in last) {
    throw failureOf(last);
  }
  if (last === undefined || !('end' in last)) {
    throw new BerthError('gone', cutOff);
  }
  return last.end;
}
