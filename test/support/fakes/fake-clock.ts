import type { Clock } from '../../../src/backend/machine/clock';
import { turns } from '../wait';

/** Time that passes only when told to. Starts at the real now, since records carry real timestamps. */
export class FakeClock implements Clock {
  private time = Date.now();
  private ahead = 0;
  private readonly timers = new Set<{ at: number; run: () => void | Promise<void> }>();
  /** How often something was woken. */
  wakes = 0;

  now(): number {
    return this.time + this.ahead;
  }

  monotonic(): number {
    return this.time;
  }

  /** The clock on the wall is set, or the machine slept: no timer's time passes. */
  set(ms: number): void {
    this.ahead += ms;
  }

  after(ms: number, run: () => void | Promise<void>): () => void {
    const timer = { at: this.time + ms, run };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  get pending(): number {
    return this.timers.size;
  }

  /** Lets time pass, each timer at its own moment; what they do is done before time goes on. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      const next = [...this.timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) {
        break;
      }
      this.timers.delete(next);
      this.time = Math.max(this.time, next.at);
      this.wakes += 1;
      await next.run();
      await turns(5);
    }
    this.time = end;
  }
}
