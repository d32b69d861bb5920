/** Ids of session volumes become whole names before a handler sees them, whatever the route. */
import type { FastifyInstance } from 'fastify';
import { deletedByWholeName } from '../../api/rules/session-volume';
import { outOfReach } from './guard';
import type { Services } from './services';

interface NamesVolume {
  volume: string;
}

function namesVolume(value: unknown): value is NamesVolume {
  return typeof value === 'object' && value !== null && 'volume' in value && typeof value.volume === 'string';
}

/** In the address, in the body, or in an end of a transfer. */
function placesIn({ params, body }: { params: unknown; body: unknown }): NamesVolume[] {
  const isTransfer = typeof body === 'object' && body !== null && 'from' in body && 'to' in body;
  const ends = isTransfer ? [body.from, body.to] : [];
  return [params, body, ...ends].filter(namesVolume);
}

/** Registers the hook. Names that a caller may not see stay as they are. */
export function nameWholeVolumes(server: FastifyInstance, { volumes, visibility }: Services): void {
  server.addHook('preHandler', async (request) => {
    // Deleting a volume twice must not delete the session volume of that id as well.
    const isExact = request.method === 'DELETE';
    for (const place of placesIn(request)) {
      const whole = await volumes.wholeName(place.volume);
      const isReached = visibility.volume(request.principal, whole);
      if (isExact && isReached && whole !== place.volume) {
        throw deletedByWholeName(place.volume, whole);
      }
      // The short name was held against the caller; this one means another volume.
      if (!isExact && !isReached) {
        throw outOfReach('volume', whole, 'volume');
      }
      place.volume = isExact ? place.volume : whole;
    }
  });
}
