/** Follows `GET /v1/events` and reconnects with the last id until disposed. */
import type { EngineEvent } from '../api/events';
import { streamPaths } from '../api/paths';
import { readEvents } from './read-events';
import type { Transport } from './transport';

export interface EventListener {
  event(event: EngineEvent): void;
  /** The stream is open: what was missed comes as events, or as one `reset`. */
  connected(): void;
  /** The stream ended (`StreamEnded`) or broke; it is opened again after `retryMs`, unless it is stopped. */
  disconnected(error: unknown): void;
}

/** The engine ended the stream in order: it ends itself. A broken one rejects otherwise. */
export class StreamEnded extends Error {
  override readonly name = 'StreamEnded';

  constructor() {
    super('The engine closed the event stream.');
  }
}

const firstRetryMs = 250;
const maxRetryMs = 10_000;

export class EventStream {
  private readonly abort = new AbortController();
  private lastId: string | undefined;
  private retryMs = firstRetryMs;

  constructor(
    private readonly transport: () => Promise<Transport>,
    private readonly listener: EventListener,
  ) {
    void this.run();
  }

  dispose(): void {
    this.abort.abort();
  }

  private async run(): Promise<void> {
    while (!this.disposed()) {
      try {
        await this.follow();
      } catch (error) {
        if (this.disposed()) {
          return;
        }
        this.listener.disconnected(error);
      }
      await this.pause(this.retryMs);
      this.retryMs = Math.min(this.retryMs * 2, maxRetryMs);
    }
  }

  private disposed(): boolean {
    return this.abort.signal.aborted;
  }

  private async follow(): Promise<void> {
    const transport = await this.transport();
    const response = await transport.open({
      method: 'GET',
      path: streamPaths.events,
      headers: {
        accept: 'text/event-stream',
        ...(this.lastId !== undefined && { 'last-event-id': this.lastId }),
      },
      signal: this.abort.signal,
      ownConnection: true,
    });
    this.retryMs = firstRetryMs;
    this.listener.connected();
    await readEvents(response, (event, id) => {
      this.lastId = id ?? this.lastId;
      this.listener.event(event as EngineEvent);
    });
    throw new StreamEnded();
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      const signal = this.abort.signal;
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      }
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
