import type { Handler, Services } from '../command';
import { pageActions } from './doctor/remedies';

/** Types the command that installs QEMU into a terminal; who presses Enter there is the user. */
export const installQemu =
  (services: Pick<Services, 'runner' | 'context'>): Handler =>
  async () => {
    await pageActions(services)['install-qemu'].run();
  };
