/**
 * What a driver keeps to be quicker the next time. Both calls may come at any time, and beside any other: what is in use, or is being
 * made, is not cleaned.
 */
import type { Cache, CacheId } from '../../../api/engine/caches';

export interface Caches {
  list(): Promise<Cache[]>;
  /** Removes what nothing uses; answers how many bytes that freed. What is not this driver's is left out. */
  clean(ids: readonly CacheId[]): Promise<number>;
}
