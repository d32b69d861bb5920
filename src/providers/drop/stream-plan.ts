/**
 * What was decided about an upload before its first file is written. With it, and with what is in the volume later, it can
 * be told what has come over already: the engine puts each file in place as a whole.
 */
import type { ConflictPolicy, FileEntry } from '../../api';
import { asBerthError } from '../../api';
import type { Task } from '../../ui/runner';
import { joinPath } from '../files/paths';
import type { VolumePlace } from '../files/volume-uri';

/** Plain, to be kept over a reload of the window. */
export interface StreamPlan {
  policy: ConflictPolicy;
  /** What was there under a name that comes, and when that had changed. */
  before: [name: string, mtimeMs: number][];
  /** Folders that come under another name, as there is one of theirs. */
  besides: [name: string, other: string][];
}

/** What is known of a file that comes: under which name (for `rename` it may be another one), and how large it is. */
export interface Come {
  name: string;
  as: string;
  bytes: number;
  state: 'begun' | 'written' | 'skipped';
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

/** `come`: the last that is known of it. What the window did not hear the end of is there when it is new, and as large. */
export async function arrivedOf(
  task: Pick<Task, 'client' | 'signal'>,
  { name, come }: { name: string; come: Come | undefined },
  to: VolumePlace,
  plan: StreamPlan,
): Promise<Arrived> {
  const earlier = new Map(plan.before).get(name);
  if (come === undefined) {
    return plan.policy === 'skip' && earlier !== undefined ? 'skipped' : undefined;
  }
  if (come.state !== 'begun') {
    return come.state === 'skipped' ? 'skipped' : { bytes: come.bytes };
  }
  const found = await entryAt(task, to.volume, joinPath(to.path, come.as));
  const isNew = come.as !== name || found?.mtimeMs !== earlier;
  return isNew && found?.type === 'file' && found.size === come.bytes ? { bytes: found.size } : undefined;
}

/** `notes.txt` → `notes (2).txt`. */
export function numbered(name: string, number: number): string {
  const slash = name.lastIndexOf('/') + 1;
  const dot = name.lastIndexOf('.');
  const at = dot > slash ? dot : name.length;
  return `${name.slice(0, at)} (${number})${name.slice(at)}`;
}
