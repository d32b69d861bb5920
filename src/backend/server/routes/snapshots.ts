import type { RouteId } from '../../../api/paths';
import type { Handlers } from '../register';
import type { Services } from '../services';
import type { WaitFor } from '../wait-for';

type Ids = Extract<RouteId, `snapshots.${string}`>;

/** Routes of snapshots. */
export function snapshotHandlers(
  { snapshots, snapshotPolicies, visibility }: Services,
  waitFor: WaitFor,
): Handlers<Ids> {
  return {
    'snapshots.listAll': ({ principal }) =>
      snapshots.listAll((volume) => visibility.volume(principal, volume)),
    'snapshots.list': ({ params }) => snapshots.list(params.volume),
    'snapshots.create': async ({ params, query, body }) =>
      waitFor(await snapshots.create(params.volume, body), query),
    'snapshots.get': ({ params }) => snapshots.get(params.volume, params.snapshot),
    'snapshots.update': ({ params, body }) => snapshotPolicies.update(params.volume, params.snapshot, body),
    'snapshots.prune': ({ params, query, body }) =>
      waitFor(snapshotPolicies.prune(params.volume, body), query),
    'snapshots.delete': ({ params }) => snapshots.delete(params.volume, params.snapshot),
    'snapshots.verify': async ({ params, query, body }) =>
      waitFor(await snapshots.verify(params.volume, params.snapshot, body.full ?? false), query),
    'snapshots.restore': async ({ params, query, body }) =>
      waitFor(await snapshots.restore(params.volume, params.snapshot, body.keep ?? true), query),
  };
}
