/** Server-sent events on a raw response: one writer, a comment at once so that the client knows it is open. */
import type { ServerResponse } from 'node:http';
import { mebibyte } from '../../api/rules/sizes';

/** A client that reads this much slower than we write is cut off: it reconnects and catches up. */
const maxBacklogBytes = 16 * mebibyte;

export interface EventWriter {
  send(payload: unknown, id?: number): void;
  /** Resolves when what was sent is on its way, or nobody takes it. */
  ready(): Promise<void>;
  /** Called once when the client has gone. */
  closed: Promise<void>;
  end(): void;
}

/** Begins the answer. Who stops reading is cut off when too much waits to be sent. */
export function openEventStream(response: ServerResponse): EventWriter {
  const closed = new Promise<void>((resolve) => {
    // The client may have gone before there was anything to send.
    if (response.destroyed) {
      resolve();
    }
    response.once('close', resolve);
  });
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  response.write(': open\n\n');
  return {
    send: (payload, id) => {
      if (response.writableLength > maxBacklogBytes) {
        response.destroy();
        return;
      }
      response.write(`${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(payload)}\n\n`);
    },
    ready: () =>
      response.writableNeedDrain
        ? Promise.race([closed, new Promise<void>((resolve) => response.once('drain', resolve))])
        : Promise.resolve(),
    closed,
    end: () => response.end(),
  };
}
