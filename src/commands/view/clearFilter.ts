import type { Handler, Services } from '../command';

/** Shows all workspaces again. */
export const clearFilter =
  ({ views }: Pick<Services, 'views'>): Handler =>
  () => {
    views.filter(undefined);
    return Promise.resolve();
  };
