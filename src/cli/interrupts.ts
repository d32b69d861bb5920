/** Ctrl-C: the first asks the command to end in order, the second ends at once. */
export class Interrupts {
  private readonly abort = new AbortController();
  private passing = 0;
  private readonly listener = (): void => this.interrupt();

  constructor(
    private readonly source: NodeJS.EventEmitter,
    private readonly end: (code: number) => void,
  ) {
    source.on('SIGINT', this.listener);
  }

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  /** While a child that shares the terminal runs, Ctrl-C is the child's alone. */
  async leaveTo<T>(child: () => Promise<T>): Promise<T> {
    this.passing += 1;
    try {
      return await child();
    } finally {
      this.passing -= 1;
    }
  }

  dispose(): void {
    this.source.off('SIGINT', this.listener);
  }

  private interrupt(): void {
    if (this.passing > 0) {
      return;
    }
    if (this.abort.signal.aborted) {
      this.end(130);
      return;
    }
    this.abort.abort();
  }
}
