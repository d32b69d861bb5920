/** The engine's event stream as driver events: no polling; reconnects with growing pauses. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DriverEvent } from '../../driver';
import type { Endpoint } from './endpoint';
import { isInternalContainer, isInternalVolume, label } from './labels';
import type { Log } from '../../../machine/log';
import type { Ownership } from './ownership';
import { linesOf, toReadable } from './streams';

const firstPauseMs = 200;
const maxPauseMs = 10_000;

export interface EngineEvent {
  Type?: string;
  Action?: string;
  /** Podman 4.3 puts the verb of containers here too. */
  status?: string;
  Actor?: { ID?: string; Attributes?: Record<string, string> };
}

type RuntimeVerb = (DriverEvent & { type: 'runtime' })['what'];
type VolumeVerb = (DriverEvent & { type: 'volume' })['what'];

/** Docker's and Podman's words. `remove` and `died` are Podman's. */
const runtimeVerbs: Readonly<Record<string, RuntimeVerb>> = {
  create: 'created',
  start: 'started',
  die: 'stopped',
  died: 'stopped',
  pause: 'paused',
  unpause: 'resumed',
  destroy: 'removed',
  remove: 'removed',
};

const volumeVerbs: Readonly<Record<string, VolumeVerb>> = {
  create: 'created',
  destroy: 'removed',
  remove: 'removed',
  mount: 'attached',
  unmount: 'detached',
};

/** Everything else (exec, archive, top …) never leaves the engine. */
export const eventFilters = {
  type: ['container', 'volume'],
  event: [...new Set([...Object.keys(runtimeVerbs), ...Object.keys(volumeVerbs)])],
};

/** Turns engine events into driver events. Remembers which containers are our own helpers: those are noise. */
export class EventMapper {
  private readonly internal = new Set<string>();

  /** `isForeign`: by the labels, made by another installation. */
  constructor(private readonly isForeign: (labels: Record<string, string>) => boolean = () => false) {}

  addInternal(id: string): void {
    this.internal.add(id);
  }

  map(event: EngineEvent): DriverEvent | undefined {
    const verb = event.Action ?? event.status ?? '';
    const id = event.Actor?.ID ?? '';
    const attributes = event.Actor?.Attributes ?? {};
    return event.Type === 'volume'
      ? this.mapVolume(verb, id, attributes)
      : this.mapRuntime(verb, id, attributes);
  }

  private mapRuntime(verb: string, id: string, attributes: Record<string, string>): DriverEvent | undefined {
    const what = runtimeVerbs[verb];
    if (isInternalContainer(attributes)) {
      if (what === 'removed') {
        this.internal.delete(id);
      } else {
        this.internal.add(id);
      }
      return undefined;
    }
    // Another installation's workspaces may have the names of ours.
    const workspace = this.isForeign(attributes) ? undefined : attributes[label.workspace];
    return what === undefined ? undefined : { type: 'runtime', name: attributes.name ?? id, workspace, what };
  }

  private mapVolume(verb: string, id: string, attributes: Record<string, string>): DriverEvent | undefined {
    const what = volumeVerbs[verb];
    const name = id === '' ? (attributes.name ?? '') : id;
    const isOurs = attributes.container !== undefined && this.internal.has(attributes.container);
    // Events of volumes carry no labels: a name that only Berth generates has to do.
    return what === undefined || name === '' || isOurs || isInternalVolume(name, {})
      ? undefined
      : { type: 'volume', name, what };
  }
}

export interface EventSource {
  endpoint: Endpoint;
  ownership: Ownership;
}

/** Watches until the returned function is called. Every connection starts with `connection: up`. */
export function watchEvents(
  source: EventSource,
  log: Log,
  listener: (event: DriverEvent) => void,
): () => void {
  const ended = new AbortController();
  void follow(source, log, listener, ended.signal);
  return () => ended.abort();
}

async function follow(
  source: EventSource,
  log: Log,
  listener: (event: DriverEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  let pauseMs = firstPauseMs;
  let isUp: boolean | undefined;
  const report = (up: boolean): void => {
    if (isUp !== up && !signal.aborted) {
      isUp = up;
      listener({ type: 'connection', up });
    }
  };
  while (!signal.aborted) {
    try {
      await readOnce(source, listener, signal, () => {
        pauseMs = firstPauseMs;
        report(true);
      });
      log.debug({}, 'the event stream of the container engine ended');
    } catch (error) {
      log.debug({ error: String(error) }, 'no events from the container engine');
    }
    source.endpoint.lost();
    report(false);
    await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    pauseMs = Math.min(pauseMs * 2, maxPauseMs);
  }
}

/** One connection, until it ends. */
async function readOnce(
  { endpoint, ownership }: EventSource,
  listener: (event: DriverEvent) => void,
  signal: AbortSignal,
  connected: () => void,
): Promise<void> {
  const mapper = new EventMapper((labels) => ownership.of(labels) !== undefined);
  const stream = await endpoint.call('watch events', async (docker) => {
    const events = toReadable(await docker.getEvents({ filters: JSON.stringify(eventFilters) }));
    const containers = await docker.listContainers({ all: true }).catch((error: unknown) => {
      events.destroy();
      throw error;
    });
    containers
      .filter(({ Labels }) => isInternalContainer(Labels))
      .forEach(({ Id }) => mapper.addInternal(Id));
    return events;
  });
  const close = (): void => void stream.destroy();
  const { left } = endpoint;
  [signal, left].forEach((each) => each.addEventListener('abort', close, { once: true }));
  try {
    connected();
    for await (const line of linesOf(stream)) {
      const event = signal.aborted || line === '' ? undefined : mapper.map(JSON.parse(line) as EngineEvent);
      if (event !== undefined) {
        listener(event);
      }
    }
  } finally {
    [signal, left].forEach((each) => each.removeEventListener('abort', close));
    stream.destroy();
  }
}
