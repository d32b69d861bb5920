/** What drivers see, reported to clients: volumes that came, went or changed hands, and drivers that come and go. */
import { asBerthError } from '../../../api/errors';
import type { Volume } from '../../../api/volumes/schemas';
import type { Driver, DriverEvent } from '../../drivers/driver';
import { statusOf, type Drivers } from './drivers';
import type { EventHub } from '../operations/event-hub';
import type { Log } from '../../machine/log';

/** Starting a container tells of each of its volumes: one look at each is enough. */
const coalesceMs = 50;

export class DriverEvents {
  private readonly stops: (() => void)[] = [];
  private readonly pending = new Map<string, NodeJS.Timeout>();

  constructor(
    private readonly drivers: Drivers,
    private readonly events: EventHub,
    private readonly log: Log,
    /** As clients see it. */
    private readonly shown: (volume: Volume) => Volume,
  ) {}

  start(): void {
    for (const driver of this.drivers.all()) {
      this.stops.push(driver.watch((event) => this.seen(driver, event)));
    }
  }

  close(): void {
    this.stops.splice(0).forEach((stop) => stop());
    this.pending.forEach((timer) => clearTimeout(timer));
    this.pending.clear();
  }

  private seen(driver: Driver, event: DriverEvent): void {
    if (event.type === 'connection') {
      // Not at once: the first comes when the engine starts, and somebody waits for its first answer.
      this.soon(`driver:${driver.kind}`, () => this.reportStatus(driver));
    } else if (event.type === 'volume') {
      this.soon(event.name, () => this.reportVolume(driver, event.name, event.what === 'removed'));
    } else {
      this.soon(`runtime:${event.name}`, () => this.reportVolumesOf(driver, event.name));
    }
  }

  private soon(key: string, run: () => Promise<void>): void {
    clearTimeout(this.pending.get(key));
    const timer = setTimeout(() => {
      this.pending.delete(key);
      run().catch((error: unknown) => {
        this.log.debug({ err: asBerthError(error).message, key }, 'not read after an event');
      });
    }, coalesceMs);
    this.pending.set(key, timer);
  }

  private async reportStatus(driver: Driver): Promise<void> {
    this.events.publish('driver.changed', await statusOf(driver));
  }

  /** What Berth has for itself is not shown: a driver knows no such volume, and only the end of one says that it is gone. */
  private async reportVolume(driver: Driver, name: string, isRemoved = false): Promise<void> {
    const volume = await driver.volumes.inspect(name);
    if (volume !== undefined) {
      this.events.publish('volume.changed', this.shown(volume));
    } else if (isRemoved) {
      this.events.publish('volume.deleted', { name });
    }
  }

  private async reportVolumesOf(driver: Driver, runtime: string): Promise<void> {
    const info = await driver.inspect(runtime);
    const names = new Set(info?.volumes.map((mount) => mount.volume));
    for (const name of names) {
      await this.reportVolume(driver, name);
    }
  }
}
