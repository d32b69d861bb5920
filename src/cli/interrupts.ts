/** What ends a command before it is done: Ctrl-C, a signal of the system, a reader that went away. */

export type EndSignal = 'SIGTERM' | 'SIGHUP';

export interface Ends {
  /** Ends the process at once. */
  exit(code: number): void;
  /** Ends it by the signal, so that whoever sent it sees that it was heard. */
  die(signal: EndSignal): void;
}

/** Whoever ends processes kills them soon after a signal: by then all that can be asked for has been. */
const orderMs = 10_000;
const endSignals: readonly EndSignal[] = ['SIGTERM', 'SIGHUP'];

/**
 * The first of them asks the command to end in order; then the process ends of the signal. A second Ctrl-C ends
 * at once. Other signals come twice by themselves: `timeout` and closed terminals send them to the group as well.
 */
export class Interrupts {
  private readonly abort = new AbortController();
  private passing = 0;
  private received: EndSignal | undefined;
  private brokenWith: number | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly listener = (): void => this.interrupt();
  private readonly listeners = endSignals.map((signal) => ({ signal, hear: () => this.hear(signal) }));

  constructor(
    private readonly source: NodeJS.EventEmitter,
    private readonly ends: Ends,
  ) {
    source.on('SIGINT', this.listener);
    this.listeners.forEach(({ signal, hear }) => source.on(signal, hear));
  }

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  /** The signal that it ends of, if any. */
  get endSignal(): EndSignal | undefined {
    return this.received;
  }

  /** Nobody reads any more: there is nothing to be said. */
  get isUnread(): boolean {
    return this.brokenWith !== undefined;
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

  /** What is written goes nowhere: `code` is what the process is to end with. */
  unread(code: number): void {
    this.brokenWith ??= code;
    this.endInOrder();
  }

  /** Ends the process after its command has. */
  end(code: number): void {
    if (this.received === undefined) {
      this.ends.exit(this.brokenWith ?? code);
      return;
    }
    this.dispose();
    this.ends.die(this.received);
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.source.off('SIGINT', this.listener);
    this.listeners.forEach(({ signal, hear }) => this.source.off(signal, hear));
  }

  private hear(signal: EndSignal): void {
    this.received ??= signal;
    this.endInOrder();
  }

  private endInOrder(): void {
    this.timer ??= setTimeout(() => this.end(0), orderMs);
    this.abort.abort();
  }

  private interrupt(): void {
    if (this.passing > 0) {
      return;
    }
    if (this.abort.signal.aborted) {
      this.ends.exit(130);
      return;
    }
    this.abort.abort();
  }
}
