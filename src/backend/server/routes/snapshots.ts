import type { Handlers } from '../register';
import type { Services } from '../services';
import type { WaitFor } from '../wait-for';

type Ids = `snapshots.${'listAll' | 'list' | 'create' | 'get' | 'delete' | 'restore' | 'verify'}`;

/** Routes of snapshots. */
export function snapshotHandlers({ snapshots, visibility }: Services, waitFor: WaitFor): Handlers<Ids> {
  return {
    'snapshots.listAll': ({ principal }) =>
      snapshots.listAll((volume) => visibility.volume(principal, volume)),
    'snapshots.list': ({ params }) => snapshots.list(params.volume),
    'snapshots.create': async ({ params, query, body }) =>
      waitFor(await snapshots.create(params.volume, body), query),
    'snapshots.get': ({ params }) => snapshots.get(params.volume, params.snapshot),
    'snapshots.delete': ({ params }) => snapshots.delete(params.volume, params.snapshot),
    'snapshots.verify': async ({ params, query, body }) =>
      waitFor(await snapshots.verify(params.volume, params.snapshot, body.full ?? false), query),
    'snapshots.restore': async ({ params, query, body }) =>
      waitFor(await snapshots.restore(params.volume, params.snapshot, body.keep ?? true), query),
  };
}
