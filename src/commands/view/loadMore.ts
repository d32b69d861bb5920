import { isRow } from '../../providers/trees/rows';
import type { Handler, Services } from '../command';

/** The next page of a large folder. */
export const loadMore =
  ({ volumesTree, workspacesTree }: Pick<Services, 'volumesTree' | 'workspacesTree'>): Handler =>
  (target) => {
    if (isRow(target) && target.type === 'more') {
      (target.inside === undefined ? volumesTree : workspacesTree).loadMore(target);
    }
    return Promise.resolve();
  };
