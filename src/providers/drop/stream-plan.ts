/**
 * What was decided about an upload before its first file is written. With it, and with what is in the volume later, it can
 * be told what has come over already: the engine puts each file in place as a whole.
 */
import type { ConflictPolicy, FileEntry } from '../../api';
import { asBerthError } from '../../api';
import type { Task } from '../../ui/runner';
import { pathIn } from '../files/paths';
import type { VolumePlace } from '../files/volume-uri';

/** Plain, to be kept over a reload of the window. */
export interface StreamPlan {
  policy: ConflictPolicy;
  startedMs: number;
  /** What was there under a name that comes, and when that had changed. */
  before: [name: string, mtimeMs: number][];
  /** Folders that come under another name, as there is one of theirs. */
  besides: [name: string, other: string][];
}

/** Whether a file of the plan is there: undefined where it has not come; `skipped` where it was not to come. */
export type Arrived = { bytes: number } | 'skipped' | undefined;

/** The first name of `a/b.txt`, that which was dropped. */
export const topOf = (name: string): string => name.split('/')[0] ?? name;

/** The name under which something comes. */
export function plannedName(name: string, { besides }: Pick<StreamPlan, 'besides'>): string {
  const top = topOf(name);
  const other = besides.find(([each]) => each === top)?.[1] ?? top;
  return `${other}${name.slice(top.length)}`;
}

/** Undefined where nothing is. */
export async function entryAt(
  { client, signal }: Pick<Task, 'client' | 'signal'>,
  volume: string,
  path: string,
): Promise<FileEntry | undefined> {
  try {
    return await client.call('files.stat', { params: { volume }, query: { path }, signal });
  } catch (error) {
    if (asBerthError(error).code === 'path_not_found') {
      return undefined;
    }
    throw error;
  }
}

/** `name` as it was given; of the last of several that went by numbers, the latest. */
export async function arrivedOf(
  task: Pick<Task, 'client' | 'signal'>,
  given: string,
  to: VolumePlace,
  plan: StreamPlan,
): Promise<Arrived> {
  const name = plannedName(given, plan);
  const earlier = new Map(plan.before).get(given);
  for (let attempt = 1; ; attempt++) {
    const path = pathIn(to.path, attempt === 1 ? name : numbered(name, attempt));
    const found = await entryAt(task, to.volume, path);
    if (found === undefined) {
      return undefined;
    }
    const wasThere =
      attempt === 1 ? name === given && found.mtimeMs === earlier : found.mtimeMs < plan.startedMs;
    if (!wasThere) {
      return found.type === 'file' ? { bytes: found.size } : undefined;
    }
    if (plan.policy !== 'rename') {
      return plan.policy === 'skip' ? 'skipped' : undefined;
    }
  }
}

/** `notes.txt` → `notes (2).txt`. */
export function numbered(name: string, number: number): string {
  const slash = name.lastIndexOf('/') + 1;
  const dot = name.lastIndexOf('.');
  const at = dot > slash ? dot : name.length;
  return `${name.slice(0, at)} (${number})${name.slice(at)}`;
}
