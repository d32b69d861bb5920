import type Dockerode from 'dockerode';
import { waitFor } from '../../../machine/wait';
import { isStatus, toBerthError } from './docker-errors';

const removeTimeoutMs = 15_000;

/** Removes a container, whatever it does; resolves when it is gone. */
export async function removeContainer(container: Dockerode.Container): Promise<void> {
  const what = `the removal of the container ${container.id}`;
  const isGone = async (): Promise<true | undefined> => {
    try {
      await container.remove({ force: true });
      return undefined;
    } catch (error) {
      if (isStatus(error, 404)) {
        return true;
      }
      // 409: its removal is under way.
      if (!isStatus(error, 409, 500)) {
        throw toBerthError(error, `remove the container ${container.id}`);
      }
      return undefined;
    }
  };
  await waitFor(isGone, { what, timeoutMs: removeTimeoutMs, intervalMs: 20 });
}
