/** Time, and waiting for it; a test has one of its own. */
export interface Clock {
  now(): number;
  /** Milliseconds that passed, whatever the clock on the wall was set to; they may stand still while the machine sleeps. */
  monotonic(): number;
  /** Calls once after `ms`; the answer cancels. */
  after(ms: number, run: () => void | Promise<void>): () => void;
}

/** That of this process. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(() => void run(), ms);
    return () => clearTimeout(timer);
  },
};
