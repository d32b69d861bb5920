/** Holds the lease of a temporary workspace; the engine deletes it some seconds after the last one was let go. */
import { setTimeout as sleep } from 'node:timers/promises';
import { BerthError, errorStatus } from '../api/errors';
import { fillPath, streamPaths } from '../api/paths';
import type { EngineClient } from './engine-client';

/** Well below the engine's grace: also one that was restarted meanwhile is reached in time. */
const retryMs = 500;
const finalStatus = new Set<number>([400, 401, 403, 404, 410]);

/**
 * Also over restarts of the engine and while it is too busy to answer, until it is disposed or the engine will never
 * give one: the workspace is gone, or not temporary.
 */
export function holdLease(client: EngineClient, name: string): { dispose(): void } {
  const abort = new AbortController();
  void keep(client, name, abort.signal).catch(() => undefined);
  return { dispose: () => abort.abort() };
}

async function keep(client: EngineClient, name: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const response = await client.transport.open({
        method: 'GET',
        path: fillPath(streamPaths.lease, { name }),
        headers: { accept: 'text/event-stream' },
        ownConnection: true,
        signal,
      });
      await ended(response);
    } catch (error) {
      if (isFinal(error)) {
        throw error;
      }
    }
    await sleep(retryMs, undefined, { signal });
  }
}

/** Whatever else fails may go well in a moment: who lets go of the lease early loses the workspace under a command. */
function isFinal(error: unknown): boolean {
  return error instanceof BerthError && finalStatus.has(errorStatus[error.code]);
}

/** Whatever ends it: a broken connection is one more reason to come back. */
function ended(response: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve) => {
    response.on('error', () => resolve());
    response.on('close', resolve);
    response.resume();
  });
}
