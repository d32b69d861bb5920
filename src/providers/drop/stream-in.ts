/** Writes contents that have no path on this machine into a volume, a few at a time. */
import * as vscode from 'vscode';
import { formatBytes } from '../../ui/sizes';
import { pathIn } from '../files/paths';
import { asBerthError, type ConflictPolicy } from '../../api';
import type { Task } from '../../ui/runner';
import { parentPath } from '../../api/rules/volume-path';
import type { VolumePlace } from '../files/volume-uri';
import { chooseConflictPolicy, maxNamed, type ComingFacts, type SidedConflict } from './conflicts';
import { inParallel } from './in-parallel';
import {
  arrivedOf,
  entryAt,
  numbered,
  plannedName,
  topOf,
  type Arrived,
  type StreamPlan,
} from './stream-plan';
import type { TransferCounts } from './transfer-words';

const { t } = vscode.l10n;
const parallel = 4;

/** A file or an (empty) folder to come; `name` may hold folders, `a/b.txt`. */
export interface Incoming {
  name: string;
  /** Absent for a folder. */
  read?: () => Thenable<Uint8Array>;
  /** Asked only where something is in the way; rejects for what can't be read. */
  facts?: () => Thenable<ComingFacts>;
}

/**
 * Asks what to do about what is in the way, then writes them; `planned` gets what was decided before that. Throws
 * `Cancelled`; what failed is counted, not thrown.
 */
export async function streamIn(
  task: Task,
  incoming: readonly Incoming[],
  to: VolumePlace,
  planned: (plan: StreamPlan) => void = () => undefined,
): Promise<TransferCounts> {
  const startedMs = Date.now();
  const { conflicts, folders, before } = await conflictsOf(task, incoming, to);
  const policy = await chooseConflictPolicy({ conflicts, total: conflicts.length, folders });
  const besides = policy === 'rename' ? await freeNames(task, to, folders) : [];
  const plan: StreamPlan = { policy, startedMs, before, besides };
  planned(plan);
  return writeAll(task, { incoming, to, plan });
}

/** Goes on with one that a reload of the window cut off: what has come over already is left as it is. */
export async function streamOn(
  task: Task,
  incoming: readonly Incoming[],
  to: VolumePlace,
  plan: StreamPlan,
): Promise<TransferCounts> {
  return writeAll(task, { incoming, to, plan, isContinued: true });
}

interface Writing {
  incoming: readonly Incoming[];
  to: VolumePlace;
  plan: StreamPlan;
  isContinued?: boolean;
}

async function writeAll(
  task: Task,
  { incoming, to, plan, isContinued = false }: Writing,
): Promise<TransferCounts> {
  const renamed = plan.besides.length;
  const counts: TransferCounts = { files: 0, bytes: 0, skipped: [], failed: [], renamed };
  const named = (name: string): string => plannedName(name, plan);
  await makeFolders(
    task,
    incoming.map((each) => ({ ...each, name: named(each.name) })),
    to,
  );
  const files = incoming.filter(({ read }) => read !== undefined);
  await inParallel(files, { atOnce: parallel, signal: task.signal }, async (next) => {
    const there = isContinued ? await arrivedOf(task, next.name, to, plan) : undefined;
    if (there === undefined) {
      await writeOne(task, { ...next, name: named(next.name) }, to, plan.policy, counts);
    } else {
      countArrived(there, next.name, counts);
    }
    const done = counts.files + counts.skipped.length + counts.failed.length;
    task.report(
      t('{0} of {1} files, {2}', done, files.length, formatBytes(counts.bytes)),
      (done / files.length) * 100,
    );
  });
  return counts;
}

function countArrived(there: NonNullable<Arrived>, name: string, counts: TransferCounts): void {
  if (there === 'skipped') {
    counts.skipped.push(name);
  } else {
    counts.files++;
    counts.bytes += there.bytes;
  }
}

/** What is in the way, as the engine sees it: folders are merged, and what is in them is compared. */
async function conflictsOf(
  task: Task,
  incoming: readonly Incoming[],
  to: VolumePlace,
): Promise<{ conflicts: SidedConflict[]; folders: string[]; before: StreamPlan['before'] }> {
  const tops = [...new Set(incoming.map(({ name }) => topOf(name)))];
  const isFolder = new Set(
    incoming
      .filter(({ name, read }) => read === undefined || name !== topOf(name))
      .map(({ name }) => topOf(name)),
  );
  const pace = { atOnce: parallel, signal: task.signal };
  const conflicts: SidedConflict[] = [];
  const byName = new Map(incoming.map((each) => [each.name, each]));
  const folders = new Set<string>();
  const merged = new Set<string>();
  const before: StreamPlan['before'] = [];
  const look = async (name: string): Promise<void> => {
    const found = await entryAt(task, to.volume, pathIn(to.path, name));
    if (found?.type === 'directory' && isFolder.has(name)) {
      merged.add(name);
    } else if (found !== undefined) {
      const { type, size, mtimeMs } = found;
      const path = `${to.volume}:${pathIn(to.path, name)}`;
      const conflict: SidedConflict = { path, type, ...(type === 'file' && { there: { size, mtimeMs } }) };
      before.push([name, mtimeMs]);
      conflicts.push(conflict);
      if (conflicts.length <= maxNamed) {
        const coming = await factsOf(byName.get(name));
        Object.assign(conflict, coming && { coming });
      }
      if (name !== topOf(name)) {
        folders.add(topOf(name));
      }
    }
  };
  await inParallel(tops, pace, look);
  const below = incoming.filter(({ name, read }) => read !== undefined && name !== topOf(name));
  const toCompare = below.map(({ name }) => name).filter((name) => merged.has(topOf(name)));
  await inParallel(toCompare, pace, look);
  return { conflicts, folders: [...folders], before };
}

/** Undefined for a folder, and for what can't be read: that is said when it is brought. */
async function factsOf(coming: Incoming | undefined): Promise<ComingFacts | undefined> {
  try {
    return await coming?.facts?.();
  } catch {
    return undefined;
  }
}

/** Other names for folders that would meet some of their own. */
async function freeNames(
  task: Task,
  to: VolumePlace,
  folders: readonly string[],
): Promise<StreamPlan['besides']> {
  const free: StreamPlan['besides'] = [];
  for (const folder of folders) {
    let number = 2;
    while ((await entryAt(task, to.volume, pathIn(to.path, `${folder} (${number})`))) !== undefined) {
      number++;
    }
    free.push([folder, `${folder} (${number})`]);
  }
  return free;
}

async function makeFolders(
  { client, signal }: Task,
  incoming: readonly Incoming[],
  to: VolumePlace,
): Promise<void> {
  const folders = incoming.map(({ name, read }) =>
    pathIn(to.path, read === undefined ? name : parentPath(`/${name}`)),
  );
  for (const path of [...new Set(folders)].filter((each) => each !== to.path).sort()) {
    const params = { volume: to.volume };
    await client
      .call('files.mkdir', { params, body: { path, parents: true }, signal })
      .catch((error: unknown) => {
        if (asBerthError(error).code !== 'path_exists') {
          throw error;
        }
      });
  }
}

async function writeOne(
  { client, signal }: Task,
  { name, read }: Incoming,
  to: VolumePlace,
  policy: ConflictPolicy,
  counts: TransferCounts,
): Promise<void> {
  try {
    const content = Buffer.from((await read?.()) ?? []);
    const overwrite = policy === 'overwrite';
    for (let attempt = 1; ; attempt++) {
      const path = pathIn(to.path, attempt === 1 ? name : numbered(name, attempt));
      try {
        await client.writeFile(to.volume, path, content, { create: true, overwrite }, signal);
        counts.files++;
        counts.bytes += content.length;
        counts.renamed += attempt > 1 ? 1 : 0;
        return;
      } catch (error) {
        if (asBerthError(error).code !== 'path_exists' || policy === 'fail') {
          throw error;
        }
        if (policy === 'skip') {
          counts.skipped.push(path);
          return;
        }
      }
    }
  } catch (error) {
    const { code, message } = asBerthError(error);
    if (code === 'cancelled') {
      throw error;
    }
    counts.failed.push(`${name}: ${message}`);
  }
}
