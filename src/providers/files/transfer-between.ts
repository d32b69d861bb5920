/** Copies or moves one thing to another volume, under the name that is asked for. */
import { BerthError } from '../../api';
import type { EngineClient } from '../../client/engine-client';
import { countsOf } from '../drop/transfer-words';
import type { VolumePlace } from './volume-uri';

/** Resolves when it has arrived. Throws what was in the way, `internal` for what did not arrive. */
export async function transferBetween(
  client: EngineClient,
  from: VolumePlace,
  to: VolumePlace,
  { move, overwrite }: { move: boolean; overwrite: boolean },
): Promise<void> {
  const operation = await client.call('transfers.create', {
    query: { wait: 0 },
    body: {
      from: { volume: from.volume, paths: [from.path] },
      to: { volume: to.volume, path: to.path },
      exact: true,
      move,
      conflict: overwrite ? 'overwrite' : 'fail',
    },
  });
  const [first] = countsOf(await client.waitFor(operation)).failed;
  if (first !== undefined) {
    throw new BerthError('internal', first);
  }
}
