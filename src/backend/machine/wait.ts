/** The one way to wait for something that can only be asked for. */
import { setTimeout as sleep } from 'node:timers/promises';
import { BerthError } from '../../api/errors';

export interface AskOptions {
  /** For people: "an SSH banner on port 2201". */
  what: string;
  timeoutMs: number;
  intervalMs: number;
  signal?: AbortSignal;
}

export interface WaitOptions extends AskOptions {
  /** What was last seen, asked for when time is up. */
  lastSeen?: () => string | Promise<string>;
  hint?: string;
}

type Ask<T> = () => T | undefined | Promise<T | undefined>;

/** Asks until the answer is not undefined; throws `timeout` saying what it waited for and what it last saw. */
export async function waitFor<T>(ask: Ask<T>, options: WaitOptions): Promise<T> {
  const answer = await askFor(ask, options);
  if (answer !== undefined) {
    return answer;
  }
  const seen = (await options.lastSeen?.()) ?? '';
  throw new BerthError(
    'timeout',
    `Timed out after ${options.timeoutMs / 1000} s waiting for ${options.what}.${seen === '' ? '' : ` Last seen: ${seen}`}`,
    options.hint === undefined ? {} : { hint: options.hint },
  );
}

/**
 * Asks until the answer is not undefined, which it is when time is up. It is asked once at least, and a last time when
 * time is up. Throws `cancelled`, also while it pauses.
 */
export async function askFor<T>(
  ask: Ask<T>,
  { what, timeoutMs, intervalMs, signal }: AskOptions,
): Promise<T | undefined> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    throwIfCancelled(signal, what);
    const isLast = performance.now() > deadline;
    const answer = await ask();
    if (answer !== undefined || isLast) {
      return answer;
    }
    await sleep(intervalMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}

/** Waits until something is so; false when it is not within that time. */
export async function becomes(isSo: () => boolean | Promise<boolean>, options: AskOptions): Promise<boolean> {
  return (await askFor(async () => ((await isSo()) ? true : undefined), options)) ?? false;
}

/** Throws `cancelled`, naming what was not done, when the signal has been given. */
export function throwIfCancelled(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted === true) {
    throw new BerthError('cancelled', `Cancelled: ${what}.`);
  }
}
