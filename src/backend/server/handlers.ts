/** Each route calls one service and answers what it returned. */
import type { Handlers } from './register';
import { engineHandlers } from './routes/engine';
import { fileHandlers } from './routes/files';
import { workspaceHandlers } from './routes/workspaces';
import { snapshotHandlers } from './routes/snapshots';
import { trashHandlers } from './routes/trash';
import { volumeHandlers } from './routes/volumes';
import type { Services } from './services';
import type { WaitFor } from './wait-for';

/** The handlers of all routes that are no streams. */
export function makeHandlers(services: Services): Handlers {
  const waitFor: WaitFor = (operation, { wait = 0 }) => services.operations.wait(operation.id, wait);
  return {
    ...engineHandlers(services, waitFor),
    ...workspaceHandlers(services, waitFor),
    ...volumeHandlers(services),
    ...snapshotHandlers(services, waitFor),
    ...trashHandlers(services, waitFor),
    ...fileHandlers(services, waitFor),
  };
}
