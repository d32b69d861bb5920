/** The drivers there are, by the kind of runtime, and which of them has a volume. */
import { BerthError } from '../../api/errors';
import type { RuntimeKind } from '../../api/schemas/workspace';
import type { Driver } from '../drivers/driver';

export class Drivers {
  constructor(private readonly drivers: readonly Driver[]) {}

  all(): readonly Driver[] {
    return this.drivers;
  }

  of(kind: RuntimeKind): Driver {
    const driver = this.drivers.find((candidate) => candidate.kind === kind);
    if (driver === undefined) {
      throw new BerthError('not_supported', `This engine has no driver for the runtime "${kind}".`, {
        field: 'runtime',
        hint: `Use ${this.drivers.map((candidate) => candidate.kind).join(' or ')}.`,
      });
    }
    return driver;
  }

  /** The driver whose store has that volume; throws `not_found`. */
  async ofVolume(volume: string): Promise<Driver> {
    for (const driver of this.drivers) {
      if ((await driver.volumes.inspect(volume)) !== undefined) {
        return driver;
      }
    }
    throw new BerthError('not_found', `There is no volume ${volume}.`, {
      hint: '`berth volume list` shows the ones there are.',
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.drivers.map((driver) => driver.close()));
  }
}
