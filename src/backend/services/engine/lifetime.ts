/**
 * When the engine may end by itself: no client is connected, no operation runs, nothing needs watching, and
 * the last request is some time ago.
 */
export interface LifetimeDeps {
  /** How long after the last sign of use. */
  idleExitMs: number;
  /** Why it must stay, or undefined. */
  busy: () => string | undefined;
  exit: () => void;
  /** Called with every sign of use. */
  used?: () => void;
}

const lastLookMs = 20;

export class Lifetime {
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;
  private readonly connections = new Set<symbol>();

  constructor(private readonly deps: LifetimeDeps) {}

  get reasonToStay(): string | undefined {
    return this.connections.size > 0 ? 'a client is connected' : this.deps.busy();
  }

  /** Something was asked for, or ended. */
  touch(): void {
    this.deps.used?.();
    clearTimeout(this.timer);
    if (this.isClosed) {
      return;
    }
    this.timer = setTimeout(() => {
      this.consider();
    }, this.deps.idleExitMs);
  }

  /** A client that stays connected, until the answer is called. */
  hold(): () => void {
    const token = Symbol('connection');
    this.connections.add(token);
    clearTimeout(this.timer);
    return () => {
      if (this.connections.delete(token)) {
        this.touch();
      }
    };
  }

  /** A connection may end after it: nothing is waited for any more. */
  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  private end(): void {
    if (this.reasonToStay === undefined) {
      this.deps.exit();
    } else if (this.connections.size === 0) {
      this.touch();
    }
  }

  /** Woken once per idle period only: whatever makes it busy calls `touch` when it ends. */
  private consider(): void {
    if (this.reasonToStay === undefined) {
      // On a busy machine somebody may be asking already: timers come before what sockets have.
      this.timer = setTimeout(() => this.end(), lastLookMs);
    } else if (this.connections.size === 0) {
      this.touch();
    }
  }
}
