/** The one way in which ui tests wait for what no locator can wait for. */
import { setTimeout as sleep } from 'node:timers/promises';

const INTERVAL = 100;
export const TIMEOUT_MS = 15_000;

/** Calls `probe` until it returns without throwing; its last error is the reason of a timeout. */
export async function eventually<T>(
  what: string,
  probe: () => T | Promise<T>,
  timeout: number = TIMEOUT_MS,
): Promise<T> {
  const deadline = Date.now() + timeout;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (Date.now() > deadline) {
        throw new Error(`waited ${timeout / 1000} s for ${what}: ${String(error)}`, { cause: error });
      }
    }
    await sleep(INTERVAL);
  }
}
