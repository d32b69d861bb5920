import type { Handler } from '../command';
import type { FoundTree } from './found-tree';

/** Takes the view of what was found away. */
export const clearFound =
  (found: FoundTree): Handler =>
  () => {
    found.clear();
    return Promise.resolve();
  };
