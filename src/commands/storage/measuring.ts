/** Measures volumes one after the other, since each takes a container or a thread while its files are counted. */
import { asBerthError } from '../../api';
import type { EngineClient } from '../../client/engine-client';
import type { Store } from '../../ui/store';
import type { Logger } from '../../ui/engine-link';
import { measureVolumeInto } from '../../providers/trees/volume-sizes';

export interface MeasuringDeps {
  client(): Promise<EngineClient>;
  store: Store;
  log: Pick<Logger, 'warn'>;
  /** Called after each change of what is read below. */
  changed(): void;
}

export class Measuring {
  /** What is counted now, as the n-th of so many. */
  now: { name: string; at: number; of: number } | undefined;
  /** Those of the last run that could not be measured. */
  failed: string[] = [];
  private running: AbortController | undefined;

  constructor(private readonly deps: MeasuringDeps) {}

  /** Ends when all are measured or it was cancelled; while another run is under way, at once. Never rejects. */
  async run(volumes: readonly string[]): Promise<void> {
    if (this.running !== undefined) {
      return;
    }
    const { signal } = (this.running = new AbortController());
    this.failed = [];
    for (const [index, name] of volumes.entries()) {
      if (signal.aborted) {
        break;
      }
      this.now = { name, at: index + 1, of: volumes.length };
      this.deps.changed();
      await this.measure(name, signal);
    }
    this.now = undefined;
    this.running = undefined;
    this.deps.changed();
  }

  cancel(): void {
    this.running?.abort();
  }

  private async measure(name: string, signal: AbortSignal): Promise<void> {
    const { store, log } = this.deps;
    try {
      await measureVolumeInto(store, await this.deps.client(), name, signal);
    } catch (error) {
      if (!signal.aborted && store.volume(name) !== undefined) {
        this.failed.push(name);
        log.warn(`The size of ${name} could not be measured: ${asBerthError(error).message}`);
      }
    }
  }
}
