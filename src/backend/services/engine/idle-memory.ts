/**
 * Gives memory back that was needed for what has been done: V8 collects when something is wanted of it, and an engine that
 * nobody asks anything keeps all that it had at the busiest moment.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const restMs = 15_000;
/** What one collection frees is given back to the system by the next. */
const collections = 2;

export class IdleMemory {
  private timer: NodeJS.Timeout | undefined;
  private left = 0;

  constructor(
    private readonly collect: () => void = collectAll,
    private readonly afterMs = restMs,
  ) {}

  /** Something was asked for, or happened: memory is given back when nothing has for a while. */
  touch(): void {
    this.left = collections;
    if (this.timer === undefined) {
      this.wait();
    } else {
      this.timer.refresh();
    }
  }

  close(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private wait(): void {
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.left -= 1;
      if (this.left > 0) {
        this.wait();
      }
      this.collect();
    }, this.afterMs).unref();
  }
}

/** Contexts that are made after the flag have `gc`. Does nothing where V8 has none. */
function collectAll(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('globalThis.gc?.()');
}
