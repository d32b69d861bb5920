/** Tries again what may pass by itself, as a runtime product that is about to come back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { BerthError, asBerthError } from '../../../api/errors';
import type { OperationContext } from '../operations/operation-context';

/** One try for each of `delaysMs`, with that pause after it; the last error is thrown, and one that can't pass at once. */
export async function retrying(
  delaysMs: readonly number[],
  context: OperationContext,
  attempt: () => Promise<void>,
): Promise<void> {
  for (const [index, delay] of delaysMs.entries()) {
    try {
      await attempt();
      return;
    } catch (error) {
      context.signal.throwIfAborted();
      if (index === delaysMs.length - 1 || !isPassing(error)) {
        throw error;
      }
      context.warn(`${asBerthError(error).message} Trying again in ${delay / 1000} s.`);
      await pauseFor(delay, context.signal);
    }
  }
}

/** Worth another try: the runtime product may come back. */
function isPassing(error: unknown): boolean {
  const { code } = asBerthError(error);
  return code === 'runtime_unavailable' || code === 'timeout' || code === 'internal';
}

async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    throw new BerthError('cancelled', 'Cancelled.');
  }
}
