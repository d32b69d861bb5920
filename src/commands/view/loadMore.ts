import { isRow } from '../../providers/trees/rows';
import type { Handler, Services } from '../command';

/** The next page of a large folder. */
export const loadMore =
  ({ volumesTree }: Pick<Services, 'volumesTree'>): Handler =>
  (target) => {
    if (isRow(target) && target.type === 'more') {
      volumesTree.loadMore(target);
    }
    return Promise.resolve();
  };
