/**
 * A channel to an agent that is opened when it is needed, held open while somebody says so, and closed when nobody has needed
 * it for a while. One at a time: the next one is opened when the one before has ended.
 */
import type { AgentChannel } from './channel';

/** An agent that runs. */
export interface AgentSession {
  channel: AgentChannel;
  /**
   * Called once. `isLost`: the agent ended by itself, or its connection did. Until the answer resolves no other is opened;
   * whoever closes the lease hears what it fails with.
   */
  end: (isLost: boolean) => Promise<void> | void;
}

export class LeasedChannel<Session extends AgentSession> {
  private opening: Promise<Session> | undefined;
  private closing: Promise<void> = Promise.resolve();
  private holds = 0;
  private idle: NodeJS.Timeout | undefined;

  /** `start` fails for itself alone: the next call tries again. */
  constructor(
    private readonly start: () => Promise<Session>,
    private readonly idleMs: number,
  ) {}

  /** Also while it is being opened. */
  get isOpen(): boolean {
    return this.opening !== undefined;
  }

  /** The session that there is now; undefined when there is none, or it can't be opened. */
  async current(): Promise<Session | undefined> {
    return this.opening?.catch(() => undefined);
  }

  async channel(): Promise<AgentChannel> {
    return (await this.open()).channel;
  }

  open(): Promise<Session> {
    if (this.opening === undefined) {
      // What failed at the end of the last one was for whoever closed it.
      const opening = this.closing.then(this.start, this.start);
      this.opening = opening;
      opening.then(
        (session) => {
          void session.channel.closed.then(() => this.lost(opening, session));
          this.closeWhenIdle();
        },
        () => this.forget(opening),
      );
    }
    return this.opening;
  }

  /** Keeps it open until the returned function is called; opens nothing. */
  hold(): () => void {
    this.holds += 1;
    clearTimeout(this.idle);
    let isHeld = true;
    return () => {
      if (isHeld) {
        isHeld = false;
        this.holds -= 1;
        this.closeWhenIdle();
      }
    };
  }

  /** Closes what is open, or being opened, whoever holds it. The next call opens another. Fails as the session's end does. */
  async close(): Promise<void> {
    clearTimeout(this.idle);
    const { opening } = this;
    this.opening = undefined;
    if (opening !== undefined) {
      this.closeAfter(opening.then((session) => session.end(false), nothing));
    }
    await this.closing;
  }

  private closeWhenIdle(): void {
    if (this.holds > 0 || this.opening === undefined) {
      return;
    }
    clearTimeout(this.idle);
    this.idle = setTimeout(() => void this.close().catch(nothing), this.idleMs);
    this.idle.unref();
  }

  private lost(opening: Promise<Session>, session: Session): void {
    if (this.forget(opening)) {
      this.closeAfter(Promise.resolve().then(() => session.end(true)));
    }
  }

  /** False: it was closed already. */
  private forget(opening: Promise<Session>): boolean {
    if (this.opening !== opening) {
      return false;
    }
    clearTimeout(this.idle);
    this.opening = undefined;
    return true;
  }

  private closeAfter(end: Promise<void>): void {
    this.closing = end;
    end.catch(nothing);
  }
}

function nothing(): undefined {
  return undefined;
}
