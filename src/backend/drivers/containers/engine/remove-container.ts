import type Dockerode from 'dockerode';
import { setTimeout as sleep } from 'node:timers/promises';
import { BerthError } from '../../../../api/errors';
import { isStatus, toBerthError } from './docker-errors';

const removeTimeoutMs = 15_000;

/** Removes a container, whatever it does; resolves when it is gone. */
export async function removeContainer(container: Dockerode.Container): Promise<void> {
  const end = Date.now() + removeTimeoutMs;
  for (;;) {
    try {
      await container.remove({ force: true });
    } catch (error) {
      if (isStatus(error, 404)) {
        return;
      }
      // 409: its removal is under way.
      if (!isStatus(error, 409, 500)) {
        throw toBerthError(error, `remove the container ${container.id}`);
      }
    }
    if (Date.now() > end) {
      throw new BerthError('timeout', `The container ${container.id} was not removed in 15 s.`);
    }
    await sleep(20);
  }
}
