/**
 * Measures a volume when it is opened, once: what keeps its files is there then, and walking through them is nothing
 * to be done for volumes that nobody looks at. "Measure Size" measures again.
 */
import type { EngineClient } from '../../client/engine-client';
import type { EngineLink, Logger } from '../../ui/engine-link';
import type { Store } from '../../ui/store';

/** A volume that is larger than can be counted in that time stays without a size. */
const timeoutMs = 30_000;

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

export class VolumeSizes {
  private readonly asked = new Set<string>();

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

  private async measure(name: string): Promise<void> {
    try {
      const client = await this.link.client();
      await measureVolumeInto(this.store, client, name, AbortSignal.timeout(timeoutMs));
    } catch (error) {
      this.asked.delete(name);
      this.log.warn(`The size of ${name} could not be measured: ${String(error)}`);
    }
  }
}
