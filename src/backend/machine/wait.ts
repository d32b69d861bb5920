/** The one way to wait for something that can only be asked for. */
import { setTimeout as sleep } from 'node:timers/promises';
import { BerthError } from '../../api/errors';

export interface WaitOptions {
  /** For people: "an SSH banner on port 2201". */
  what: string;
  timeoutMs: number;
  intervalMs: number;
  signal?: AbortSignal;
  /** What was last seen, asked for when time is up. */
  lastSeen?: () => string | Promise<string>;
  hint?: string;
}

/** Asks until the answer is not undefined; throws `timeout` saying what it waited for and what it last saw. */
export async function waitFor<T>(ask: () => Promise<T | undefined>, options: WaitOptions): Promise<T> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    throwIfCancelled(options.signal, options.what);
    const answer = await ask();
    if (answer !== undefined) {
      return answer;
    }
    if (performance.now() > deadline) {
      const seen = (await options.lastSeen?.()) ?? '';
      throw new BerthError(
        'timeout',
        `Timed out after ${options.timeoutMs / 1000} s waiting for ${options.what}.${seen === '' ? '' : ` Last seen: ${seen}`}`,
        options.hint === undefined ? {} : { hint: options.hint },
      );
    }
    await sleep(options.intervalMs);
  }
}

export function throwIfCancelled(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted === true) {
    throw new BerthError('cancelled', `Cancelled: ${what}.`);
  }
}
