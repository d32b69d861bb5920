import type { Handler, Services } from '../command';
import { pageActions } from './doctor/remedies';

/** Starts the container engine of this machine, in a terminal where its command is seen. */
export const startDocker =
  (services: Pick<Services, 'runner' | 'context'>): Handler =>
  async () => {
    await pageActions(services)['start-container-engine'].run();
  };
