import { isOnTarget } from '../../../api/rules/runtimes';
import type { Handlers } from '../register';
import type { Services } from '../services';

type Ids = `volumes.${'list' | 'create' | 'get' | 'update' | 'delete' | 'adopt' | 'resize'}`;

/** Routes of volumes. */
export function volumeHandlers({ volumes, visibility, trash }: Services): Handlers<Ids> {
  return {
    'volumes.list': ({ query, principal }) =>
      volumes.list(
        query.usage ?? false,
        (volume) => isOnTarget(volume, query.target) && visibility.volume(principal, volume.name),
      ),
    'volumes.create': ({ body }) => volumes.create(body),
    'volumes.get': ({ params, query }) => volumes.get(params.volume, query.usage ?? false),
    'volumes.update': ({ params, body }) => volumes.update(params.volume, body),
    'volumes.delete': ({ params, query }) =>
      trash.volume(params.volume, query.force ?? false, query.now ?? false),
    'volumes.adopt': ({ params, body }) => volumes.adopt(params.volume, body.takeOver ?? false),
    'volumes.resize': ({ params, body }) => volumes.resize(params.volume, body.sizeMiB),
  };
}
