/** What all drivers keep to be quicker the next time, and its removal. */
import type { Cache, CacheId, CachesCleaned } from '../../../api/engine/caches';
import type { Drivers } from './drivers';

export class CacheService {
  constructor(private readonly drivers: Pick<Drivers, 'all'>) {}

  async list(): Promise<Cache[]> {
    const lists = this.drivers.all().map(({ caches }) => caches?.list() ?? Promise.resolve([]));
    return (await Promise.all(lists)).flat();
  }

  async clean(ids: readonly CacheId[]): Promise<CachesCleaned> {
    let freedBytes = 0;
    for (const { caches } of this.drivers.all()) {
      freedBytes += (await caches?.clean(ids)) ?? 0;
    }
    return { freedBytes };
  }
}
