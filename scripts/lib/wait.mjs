/** The one way scripts wait. */

/** @param {number} ms */
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Calls `probe` until it returns something truthy.
 * @template T
 * @param {string} what what is waited for, for the message of a timeout
 * @param {() => Promise<T | undefined | false> | T | undefined | false} probe an exception counts as "not yet" and is quoted at the end
 * @param {{timeoutMs: number, everyMs?: number, explain?: () => string | Promise<string>}} options `explain` adds to the message of a timeout
 * @returns {Promise<T>}
 */
export async function waitFor(what, probe, { timeoutMs, everyMs = 50, explain }) {
  const deadline = Date.now() + timeoutMs;
  let lastSeen = '';
  for (;;) {
    try {
      const result = await probe();
      if (result) return result;
    } catch (error) {
      lastSeen = error instanceof Error ? error.message : String(error);
    }
    if (Date.now() >= deadline) break;
    await sleep(everyMs);
  }
  const details = [lastSeen, await explain?.()].filter(Boolean).join('\n');
  throw new Error(`waited ${timeoutMs / 1000} s for ${what}${details ? `:\n${details}` : ''}`);
}
