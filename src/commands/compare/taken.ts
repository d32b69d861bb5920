/** What is asked of the engine to take changes over, and to take that back. Free of `vscode`. */
import type { Change, TakenChange, TakeOverResult } from '../../api';
import { parentPath } from '../../api/rules/volume-path';

/** As many as one request has, but for a folder that comes as a whole. */
const maxChanges = 10_000;
/** As many as the engine takes. */
const maxOfFolder = 200_000;

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

/** What is asked for again of what was left at some paths: of a new folder, all that is in it. */
export function takenAgain(taken: readonly TakenChange[], paths: ReadonlySet<string>): TakenChange[] {
  const folders = new Set<string>();
  return [...taken]
    .sort((one, other) => depthOf(one) - depthOf(other))
    .filter(({ path, from, to }) => {
      const isMeant = paths.has(path) || (to === undefined && folders.has(parentPath(path)));
      if (isMeant && from?.type === 'directory' && to?.type !== 'directory') {
        folders.add(path);
      }
      return isMeant;
    });
}

/** In the order in which each request finds what it needs: what goes first, from the inside out. */
export function inRequests(taken: readonly TakenChange[], maxWhole = maxOfFolder): TakenChange[][] {
  // What is in a folder has a longer path than the folder itself.
  const sorted = [...taken].sort((one, other) => depthOf(one) - depthOf(other));
  const gone = sorted.filter(({ from }) => from === undefined).reverse();
  const requests: TakenChange[][] = [];
  let request: TakenChange[] = [];
  const close = (): void => {
    if (request.length > 0) {
      requests.push(request);
      request = [];
    }
  };
  const come = wholes(
    sorted.filter(({ from }) => from !== undefined),
    maxWhole,
  );
  for (const whole of [...gone.map((each) => [each]), ...come]) {
    if (whole === 'apart' || request.length + whole.length > maxChanges) {
      close();
    }
    if (whole !== 'apart') {
      whole.forEach((each) => request.push(each));
    }
  }
  close();
  return requests;
}

/**
 * What comes, in parts that the engine brings as a whole: a folder that is new with all that is below it, as it would be read anew
 * for each request that has a part of it. Of one that has too much in it, itself and then, in another request, the parts.
 */
function wholes(sorted: readonly TakenChange[], maxWhole: number): (TakenChange[] | 'apart')[] {
  const folders = new Map<string, TakenChange[]>();
  const found: TakenChange[][] = [];
  for (const each of sorted) {
    const above = each.to === undefined ? folders.get(parentPath(each.path)) : undefined;
    const whole = above ?? [];
    whole.push(each);
    if (above === undefined) {
      found.push(whole);
    }
    if (each.from?.type === 'directory' && each.to?.type !== 'directory') {
      folders.set(each.path, whole);
    }
  }
  return found.flatMap((whole) => {
    const [folder, ...below] = whole;
    return whole.length <= maxWhole || folder === undefined
      ? [whole]
      : [[folder], 'apart' as const, ...wholes(below, maxWhole)];
  });
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
