/** Events in order, with the last ones kept so that a client that reconnects misses nothing. */
import type { EngineEvent, EventPayloads, EventType } from '../../../api/events';

const keptEvents = 2000;

export type Subscriber = (event: EngineEvent) => void;

function makeEvent<T extends EventType>(id: number, type: T, payload: EventPayloads[T]): EngineEvent {
  return { id, type, payload } as EngineEvent;
}

export class EventHub {
  /** Ids start anew with each engine: its start time makes ids of an earlier one recognisably old. */
  private nextId = Date.now() * 1000;
  private readonly kept: EngineEvent[] = [];
  private readonly subscribers = new Set<Subscriber>();
  private readonly observers = new Set<Subscriber>();

  /** Clients that follow; the engine's own observers are not counted. */
  get subscriberCount(): number {
    return this.subscribers.size;
  }

  publish<T extends EventType>(type: T, payload: EventPayloads[T]): void {
    const event = makeEvent((this.nextId += 1), type, payload);
    this.kept.push(event);
    if (this.kept.length > keptEvents) {
      this.kept.splice(0, this.kept.length - keptEvents);
    }
    for (const subscriber of this.subscribers) {
      subscriber(event);
    }
    this.observers.forEach((observer) => observer(event));
  }

  /** For the engine itself: called after all subscribers, so that what it publishes comes later for them too. */
  observe(observer: Subscriber): () => void {
    this.observers.add(observer);
    return () => this.observers.delete(observer);
  }

  /** Calls back with what came after `lastId`, then with all that comes, until the answer is called. */
  subscribe(subscriber: Subscriber, lastId?: number): () => void {
    for (const event of this.missedSince(lastId)) {
      subscriber(event);
    }
    this.subscribers.add(subscriber);
    return () => this.subscribers.delete(subscriber);
  }

  private missedSince(lastId: number | undefined): EngineEvent[] {
    if (lastId === undefined || lastId === this.nextId) {
      return [];
    }
    const oldest = this.kept[0]?.id ?? this.nextId + 1;
    if (lastId < oldest - 1 || lastId > this.nextId) {
      return [makeEvent(this.nextId, 'reset', { reason: 'Events were missed: read everything again.' })];
    }
    return this.kept.filter((event) => event.id > lastId);
  }
}
