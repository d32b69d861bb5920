import type { RouteId } from '../../../api/paths';
import type { Handlers } from '../register';
import type { Services } from '../services';
import type { WaitFor } from '../wait-for';

type Ids = Extract<RouteId, `trash.${string}`>;

/** Routes of the trash. */
export function trashHandlers({ bin, restoring }: Services, waitFor: WaitFor): Handlers<Ids> {
  return {
    'trash.list': () => bin.list(),
    'trash.restore': ({ params, query, body }) => waitFor(restoring.restore(params.item, body.name), query),
    'trash.empty': ({ query, body }) => waitFor(restoring.empty(body), query),
  };
}
