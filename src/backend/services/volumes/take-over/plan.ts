/** What is done for the changes that are taken over, and in which order. */
import type { ComparedFile } from '../../../../api/files/compare';
import type { TakenChange } from '../../../../api/files/take-over';
import { baseName, normalizePath, parentPath } from '../../../../api/rules/volume-path';
import { compareParts } from '../../../files/name-order';

/** Something that comes as a whole, with all that is new below it. */
export interface TakenItem {
  path: string;
  from: ComparedFile;
  to: ComparedFile | undefined;
  /** What it is to be, and what is to be below it, by their paths. */
  expected: Map<string, ComparedFile>;
  /** The folder of the stage that it waits in: in none are two of one name. */
  bucket: number;
}

export interface TakeOverPlan {
  /** What is in a folder before the folder. */
  removals: TakenChange[];
  /** Folders before what is in them. */
  items: TakenItem[];
  /** Folders that both sides have. */
  folders: (TakenChange & { from: ComparedFile; to: ComparedFile })[];
}

/** Each path once: the last word counts. */
export function planTakeOver(changes: readonly TakenChange[]): TakeOverPlan {
  const byPath = new Map(changes.map((each) => [normalizePath(each.path), each]));
  const sorted = [...byPath]
    .map(([path, each]) => ({ ...each, path, parts: path.split('/').filter((part) => part !== '') }))
    .sort((one, other) => compareParts(one.parts, other.parts));
  const plan: TakeOverPlan = { removals: [], items: [], folders: [] };
  const above = new Map<string, TakenItem>();
  const taken = new Map<string, number>();
  for (const { path, from, to } of sorted) {
    if (from === undefined) {
      plan.removals.unshift({ path, from, to });
    } else if (from.type === 'directory' && to?.type === 'directory') {
      plan.folders.push({ path, from, to });
    } else {
      const whole = to === undefined ? above.get(parentPath(path)) : undefined;
      const item = whole ?? newItem(path, from, to, taken);
      item.expected.set(path, from);
      if (whole === undefined) {
        plan.items.push(item);
      }
      if (from.type === 'directory') {
        above.set(path, item);
      }
    }
  }
  return plan;
}

function newItem(
  path: string,
  from: ComparedFile,
  to: ComparedFile | undefined,
  taken: Map<string, number>,
): TakenItem {
  const name = baseName(path);
  const bucket = taken.get(name) ?? 0;
  taken.set(name, bucket + 1);
  return { path, from, to, expected: new Map(), bucket };
}
