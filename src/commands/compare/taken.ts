/** What is asked of the engine to take changes over, and to take that back. Free of `vscode`. */
import type { Change, TakenChange, TakeOverResult } from '../../api';

/** As many as one request may have. */
const maxChanges = 10_000;

/** To the side of `before` (`left`), or of `after`. */
export type Side = 'left' | 'right';

/** Of each change what it is where it comes from, and where it goes. */
export function takenTo(side: Side, changes: readonly Change[]): TakenChange[] {
  return changes.map(({ path, before, after }) => {
    const [from, to] = side === 'left' ? [after, before] : [before, after];
    return { path, ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
  });
}

/** The way back of what was taken over, from a place where all is as it was before. */
export function takenBack(taken: readonly TakenChange[], left: TakeOverResult['left']): TakenChange[] {
  const stayed = new Set(left.map(({ path }) => path));
  return taken
    .filter(({ path }) => !stayed.has(path))
    .map(({ path, from, to }) => ({
      path,
      ...(to !== undefined && { from: to }),
      ...(from !== undefined && { to: from }),
    }));
}

/** In the order in which each request finds what it needs: what goes first, from the inside out. */
export function inRequests(taken: readonly TakenChange[]): TakenChange[][] {
  // What is in a folder has a longer path than the folder itself.
  const sorted = [...taken].sort((one, other) => depthOf(one) - depthOf(other));
  const ordered = [
    ...sorted.filter(({ from }) => from === undefined).reverse(),
    ...sorted.filter(({ from }) => from !== undefined),
  ];
  const requests: TakenChange[][] = [];
  for (let at = 0; at < ordered.length; at += maxChanges) {
    requests.push(ordered.slice(at, at + maxChanges));
  }
  return requests;
}

const depthOf = ({ path }: TakenChange): number => path.split('/').length;

/** Of several requests. */
export function addedUp(results: readonly TakeOverResult[]): TakeOverResult {
  const sum: TakeOverResult = { taken: 0, removed: 0, bytes: 0, left: [], leftInAll: 0 };
  for (const { taken, removed, bytes, left, leftInAll } of results) {
    sum.taken += taken;
    sum.removed += removed;
    sum.bytes += bytes;
    sum.left.push(...left);
    sum.leftInAll += leftInAll;
  }
  return sum;
}
