/** The one way of a client to wait for something that can only be asked for; the engine has `backend/machine/wait.ts`. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface PollOptions {
  timeoutMs: number;
  intervalMs: number;
}

/**
 * Asks until the answer is not undefined, which it is when time is up. It is asked once at least, and a last time when
 * time is up.
 */
export async function pollFor<T>(
  ask: () => Promise<T | undefined>,
  { timeoutMs, intervalMs }: PollOptions,
): Promise<T | undefined> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const isLast = performance.now() > deadline;
    const answer = await ask();
    if (answer !== undefined || isLast) {
      return answer;
    }
    await sleep(intervalMs);
  }
}
