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
      throw new Error(`Timed out after ${timeoutMs} ms waiting until ${what}.`);
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

/** What comes of `work`; fails after `timeoutMs`, with what was seen by then. */
export async function within<T>(
  what: string,
  work: Promise<T>,
  timeoutMs: number,
  seen: () => unknown = () => undefined,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new Error(`Timed out after ${timeoutMs} ms waiting for ${what}. Seen: ${JSON.stringify(seen())}`),
      );
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
