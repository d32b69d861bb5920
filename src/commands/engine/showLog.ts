import type { Handler, Services } from '../command';

/** The extension's own log; the engine's is a file in the state directory that the doctor names. */
export const showLog =
  ({ log }: Pick<Services, 'log'>): Handler =>
  () => {
    log.show();
    return Promise.resolve();
  };
