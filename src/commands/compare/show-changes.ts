/** What the buttons of the view and of its rows do, but for taking over. */
import { openAll, openChange } from '../snapshot/open-changes';
import type { Handler } from '../command';
import { changesBelow, type ChangeNode } from './change-nodes';
import type { Comparison } from './comparison';

type Compared = Pick<Comparison, 'shown' | 'again' | 'clear'>;

/** Opens a change in the diff editor, or all that is below a folder. */
export const openChanges =
  (comparison: Compared): Handler =>
  async (target) => {
    const { sides, changes } = comparison.shown;
    const top = topOf(target) ?? changes.root;
    const [only, ...others] = changesBelow([top]);
    if (only !== undefined && others.length === 0 && top !== changes.root) {
      await openChange(only, sides);
    } else {
      await openAll(changesBelow([top]), sides);
    }
  };

/** Compares the two sides once more. */
export const compareAgain =
  (comparison: Compared): Handler =>
  () =>
    comparison.again();

/** Takes the view away; a comparison that is under way ends. */
export const clearChanges =
  (comparison: Compared): Handler =>
  () => {
    comparison.clear();
    return Promise.resolve();
  };

function topOf(target: unknown): ChangeNode | undefined {
  return typeof target === 'object' && target !== null && 'top' in target
    ? (target.top as ChangeNode)
    : undefined;
}
