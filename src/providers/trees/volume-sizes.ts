/**
 * Measures a volume when it is opened: what keeps its files is there then, and walking through them is nothing to be
 * done for volumes that nobody looks at. One whose size is known is measured anew once its files have changed.
 */
import type { EngineClient } from '../../client/engine-client';
import type { EngineLink, Logger } from '../../ui/engine-link';
import type { Disposable } from '../../ui/signal';
import type { Store } from '../../ui/store';

/** A volume that is larger than can be counted in that time stays without a size. */
const timeoutMs = 30_000;
/** After a change, that more of them are gathered. */
const gatherMs = 2000;
/** Counting files anew takes at most one part in so many of the time. */
const restFactor = 20;

/** Brings the size of a volume into the store. Rejects with what the engine says, and when it is cancelled. */
export async function measureVolumeInto(
  store: Store,
  client: EngineClient,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const take = store.awaitVolume(name);
  const params = { volume: name };
  const payload = await client.call('volumes.get', { params, query: { usage: true }, signal });
  // It may have gone meanwhile: an answer must not bring it back.
  if (store.volume(name) !== undefined) {
    take(payload);
  }
}

export class VolumeSizes implements Disposable {
  private readonly asked = new Set<string>();
  /** Volumes whose files have changed since they were measured, and are measured when the time is up. */
  private readonly stale = new Map<string, ReturnType<typeof setTimeout>>();
  /** Milliseconds that the last measurement of a volume took. */
  private readonly took = new Map<string, number>();
  private readonly measuring = new Set<string>();

  constructor(
    private readonly link: Pick<EngineLink, 'client'>,
    private readonly store: Store,
    private readonly log: Pick<Logger, 'warn'>,
  ) {}

  /** Brings the size into the store, some time later. */
  opened(name: string): void {
    if (!this.asked.has(name) && this.store.volume(name)?.usedBytes === undefined) {
      this.asked.add(name);
      void this.measure(name);
    }
  }

  /** Files of it have changed: a size that is known is measured anew a little later, when nothing is copied any more. */
  changed(name: string): void {
    if (!this.stale.has(name) && this.store.volume(name)?.usedBytes !== undefined) {
      const waitMs = Math.max(gatherMs, restFactor * (this.took.get(name) ?? 0));
      this.stale.set(
        name,
        setTimeout(() => this.again(name), waitMs),
      );
    }
  }

  dispose(): void {
    this.stale.forEach((timer) => clearTimeout(timer));
    this.stale.clear();
  }

  private again(name: string): void {
    this.stale.delete(name);
    const isBusy = this.store.runningOperations.some(({ volume }) => volume === name);
    if (isBusy || this.measuring.has(name)) {
      this.changed(name);
    } else if (this.store.volume(name) !== undefined) {
      void this.measure(name);
    }
  }

  private async measure(name: string): Promise<void> {
    const startedAt = performance.now();
    this.measuring.add(name);
    try {
      const client = await this.link.client();
      await measureVolumeInto(this.store, client, name, AbortSignal.timeout(timeoutMs));
    } catch (error) {
      this.asked.delete(name);
      this.log.warn(`The size of ${name} could not be measured: ${String(error)}`);
    } finally {
      this.measuring.delete(name);
      this.took.set(name, performance.now() - startedAt);
    }
  }
}
