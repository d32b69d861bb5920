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

/** What names another volume in the address. */
interface NamesOther {
  with: string;
}

function namesOther(value: unknown): value is NamesOther {
  return typeof value === 'object' && value !== null && 'with' in value && typeof value.with === 'string';
}

interface Place {
  name: string;
  rename: (whole: string) => void;
}

/** In the address, in the body, in an end of a transfer, or what is compared with. */
function placesIn({ params, query, body }: { params: unknown; query: unknown; body: unknown }): Place[] {
  const isTransfer = typeof body === 'object' && body !== null && 'from' in body && 'to' in body;
  const ends = isTransfer ? [body.from, body.to] : [];
  return [
    ...[params, body, ...ends].filter(namesVolume).map((place) => ({
      name: place.volume,
      rename: (whole: string) => void (place.volume = whole),
    })),
    ...[query].filter(namesOther).map((place) => ({
      name: place.with,
      rename: (whole: string) => void (place.with = whole),
    })),
  ];
}

/** Registers the hook. Names that a caller may not see stay as they are. */
export function nameWholeVolumes(server: FastifyInstance, { volumes, visibility }: Services): void {
  server.addHook('preHandler', async (request) => {
    // Deleting a volume twice must not delete the session volume of that id as well.
    const isExact = request.method === 'DELETE';
    for (const place of placesIn(request)) {
      const whole = await volumes.wholeName(place.name);
      const isReached = visibility.volume(request.principal, whole);
      if (isExact && isReached && whole !== place.name) {
        throw deletedByWholeName(place.name, whole);
      }
      // The short name was held against the caller; this one means another volume.
      if (!isExact && !isReached) {
        throw outOfReach('volume', whole, 'volume');
      }
      place.rename(isExact ? place.name : whole);
    }
  });
}
