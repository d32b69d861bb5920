/** The drivers there are, by the kind of runtime, and which of them has a volume. */
import { setTimeout as sleep } from 'node:timers/promises';
import { BerthError } from '../../../api/errors';
import { sessionVolumeOf } from '../../../api/rules/session-volume';
import { isVolumeName } from '../../../api/rules/names';
import type { DriverStatus } from '../../../api/engine/schemas';
import type { RuntimeKind } from '../../../api/workspaces/schemas';
import type { VolumeKind } from '../../../api/volumes/schemas';
import type { Driver } from '../../drivers/driver';
import { unavailable } from '../../drivers/contract/observation';

const statusTimeoutMs = 5_000;
const afreshTimeoutMs = 15_000;

/** What a driver says of itself; one that fails or does not answer in time is not available. */
export async function statusOf(
  driver: Driver,
  {
    afresh = false,
    timeoutMs = afresh ? afreshTimeoutMs : statusTimeoutMs,
  }: { afresh?: boolean; timeoutMs?: number } = {},
): Promise<DriverStatus> {
  const timer = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: timer.signal }).then(
    () => unavailable(new Error(`It did not answer within ${timeoutMs / 1000} s.`)),
    () => unavailable(new Error('cancelled')),
  );
  const health = driver.status({ afresh }).catch(unavailable);
  try {
    const now = await Promise.race([health, late]);
    return { runtime: driver.kind, ...now, features: driver.features };
  } finally {
    timer.abort();
  }
}

/** What of a spec says who drives its runtime. */
interface Placed {
  runtime: RuntimeKind;
  target?: string | undefined;
}

/** Whether the runtime of a workspace with that spec is the driver's. */
export const isDrivenBy = ({ kind }: Pick<Driver, 'kind'>, { runtime }: Placed): boolean => kind === runtime;

/** The kind of volume that homes on that driver are. */
export const homeKindOf = ({ features }: Pick<Driver, 'features'>): VolumeKind =>
  features.volumeKinds[0] ?? 'disk';

export class Drivers {
  constructor(private readonly drivers: readonly Driver[]) {}

  all(): readonly Driver[] {
    return this.drivers;
  }

  /** The driver of a workspace with that spec. Throws `not_supported` where this engine has none for its kind. */
  of(spec: Placed): Driver {
    const driver = this.drivers.find((candidate) => isDrivenBy(candidate, spec));
    if (driver === undefined) {
      throw new BerthError('not_supported', `This engine has no driver for the runtime "${spec.runtime}".`, {
        field: 'runtime',
        hint: `Use ${this.drivers.map((candidate) => candidate.kind).join(' or ')}.`,
      });
    }
    return driver;
  }

  /**
   * The driver that makes volumes of that kind, or of the first kind there is. Throws `not_supported` where no driver
   * makes that kind.
   */
  ofVolumeKind(kind: VolumeKind | undefined): Driver {
    const driver = this.drivers.find(
      ({ features }) => kind === undefined || features.volumeKinds.includes(kind),
    );
    if (driver === undefined) {
      const kinds = this.drivers.flatMap(({ features }) => features.volumeKinds);
      throw new BerthError('not_supported', `This engine makes no volumes of the kind "${kind}".`, {
        field: 'kind',
        hint: `Use ${kinds.join(' or ')}.`,
      });
    }
    return driver;
  }

  /** The driver whose store has that volume; undefined when none has. Throws when the one that may have it can't tell. */
  async findVolume(volume: string): Promise<Driver | undefined> {
    const looks = await Promise.allSettled(this.drivers.map(({ volumes }) => volumes.inspect(volume)));
    const found = looks.findIndex((look) => look.status === 'fulfilled' && look.value !== undefined);
    const failed = looks.find((look) => look.status === 'rejected');
    if (found < 0 && failed !== undefined) {
      throw failed.reason;
    }
    return this.drivers[found];
  }

  /**
   * The name of a volume that may be given as the id of a session volume: the volume of exactly that name where there
   * is one. What no driver has, or can't tell now, stays as it was given.
   */
  async wholeVolumeName(given: string): Promise<string> {
    const session = sessionVolumeOf(given);
    if (session === given || !isVolumeName(session)) {
      return given;
    }
    try {
      const isThere = (await this.findVolume(given)) !== undefined;
      return !isThere && (await this.findVolume(session)) !== undefined ? session : given;
    } catch {
      return given;
    }
  }

  /** The same as `findVolume`; throws `not_found`. */
  async ofVolume(volume: string): Promise<Driver> {
    const driver = await this.findVolume(volume);
    if (driver === undefined) {
      throw new BerthError('not_found', `There is no volume ${volume}.`, {
        hint: '`berth volume list` shows the ones there are.',
      });
    }
    return driver;
  }

  async close(): Promise<void> {
    await Promise.all(this.drivers.map((driver) => driver.close()));
  }
}
