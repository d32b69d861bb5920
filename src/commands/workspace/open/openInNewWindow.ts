import type { Handler, Services } from '../../command';
import { openable } from './open';
import { openRemote, type OpenServices } from './open-remote';

/** Opens workspaces in windows of their own. */
export const openInNewWindow =
  (services: OpenServices & Pick<Services, 'targets'>): Handler =>
  async (target, selected) => {
    for (const workspace of await services.targets.workspaces(target, selected, openable)) {
      await openRemote(services, workspace, true);
    }
  };
