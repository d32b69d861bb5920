/** What failed and is to be tried again: each after a pause of its own, which doubles with every failure. */
export class LaterRetries {
  private readonly pauses = new Map<string, number>();
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private isClosed = false;

  constructor(
    private readonly firstMs: number,
    private readonly maxMs: number,
  ) {}

  /** Calls once after the pause; a call for the same key that has not been made yet gives way. `run` does not throw. */
  again(key: string, run: () => Promise<void>): void {
    if (this.isClosed) {
      return;
    }
    const pause = this.pauses.get(key) ?? this.firstMs;
    this.pauses.set(key, Math.min(pause * 2, this.maxMs));
    clearTimeout(this.timers.get(key));
    const timer = setTimeout(() => {
      this.timers.delete(key);
      void run();
    }, pause);
    this.timers.set(key, timer.unref());
  }

  /** It worked: nothing to try again, and the next failure begins with the first pause. */
  done(key: string): void {
    clearTimeout(this.timers.get(key));
    this.timers.delete(key);
    this.pauses.delete(key);
  }

  close(): void {
    this.isClosed = true;
    [...this.timers.keys()].forEach((key) => this.done(key));
  }
}
