import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves with what `look` answers once that is neither undefined nor false; fails after `timeoutMs`. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 15_000,
  everyMs = 5,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) {
      return seen;
    }
    if (Date.now() > end) {
      throw new Error(`Waited ${timeoutMs} ms in vain until ${what}.`);
    }
    await sleep(everyMs);
  }
}

/** Lets everything that is ready to run, run. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
