/**
 * VS Code lower-cases the authority of a URI when it keeps one as text, and volumes of other tools may have
 * capitals: a name that no volume has is taken for one that differs in case alone.
 */
import type { Store } from '../../ui/store';

/** The name of the volume that an authority means; the authority itself where there is none. */
export function volumeNamed(store: Pick<Store, 'volume' | 'volumes'>, authority: string): string {
  if (store.volume(authority) !== undefined) {
    return authority;
  }
  const wanted = authority.toLowerCase();
  return store.volumes.find(({ name }) => name.toLowerCase() === wanted)?.name ?? authority;
}
