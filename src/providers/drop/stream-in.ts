/** Writes contents that have no path on this machine into a volume, a few at a time. */
import * as vscode from 'vscode';
import { formatBytes } from '../../api/rules/sizes';
import { joinPath } from '../files/paths';
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
  type Come,
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
 * Asks what to do about what is in the way, then writes them; `planned` gets what was decided before that, and
 * answers with what hears of each file. Throws `Cancelled`; what failed is counted, not thrown.
 */
export async function streamIn(
  task: Task,
  incoming: readonly Incoming[],
  to: VolumePlace,
  planned: (plan: StreamPlan) => Noting = () => () => undefined,
): Promise<TransferCounts> {
  const { conflicts, folders, before } = await conflictsOf(task, incoming, to);
  const policy = await chooseConflictPolicy({ conflicts, total: conflicts.length, folders });
  const besides = policy === 'rename' ? await freeNames(task, to, folders) : [];
  const plan: StreamPlan = { policy, before, besides };
  return writeAll(task, { incoming, to, plan, noting: planned(plan) });
}

/** Hears what becomes of each file. */
export type Noting = (come: Come) => void;

interface Writing {
  incoming: readonly Incoming[];
  to: VolumePlace;
  plan: StreamPlan;
  noting: Noting;
  /** Of one that goes on: what is known of the files that came before. */
  come?: ReadonlyMap<string, Come>;
}

/** Also goes on with one that a reload of the window cut off: what has come over already is left as it is. */
export async function writeAll(
  task: Task,
  { incoming, to, plan, noting, come }: Writing,
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
    const { name } = next;
    const there = come && (await arrivedOf(task, { name, come: come.get(name) }, to, plan));
    if (there === undefined) {
      const write = { to, policy: plan.policy, as: named(name), noting };
      await writeOne(task, next, write, counts);
    } else {
      countArrived(there, name, counts);
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
    const found = await entryAt(task, to.volume, joinPath(to.path, name));
    if (found?.type === 'directory' && isFolder.has(name)) {
      merged.add(name);
    } else if (found !== undefined) {
      const { type, size, mtimeMs } = found;
      const path = `${to.volume}:${joinPath(to.path, name)}`;
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
    while ((await entryAt(task, to.volume, joinPath(to.path, `${folder} (${number})`))) !== undefined) {
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
    joinPath(to.path, read === undefined ? name : parentPath(`/${name}`)),
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
  { to, policy, as, noting }: { to: VolumePlace; policy: ConflictPolicy; as: string; noting: Noting },
  counts: TransferCounts,
): Promise<void> {
  try {
    const content = Buffer.from((await read?.()) ?? []);
    const overwrite = policy === 'overwrite';
    for (let attempt = 1; ; attempt++) {
      const come = { name, as: attempt === 1 ? as : numbered(as, attempt), bytes: content.length };
      const path = joinPath(to.path, come.as);
      noting({ ...come, state: 'begun' });
      try {
        await client.writeFile(to.volume, path, content, { create: true, overwrite }, signal);
        noting({ ...come, state: 'written' });
        counts.files++;
        counts.bytes += content.length;
        counts.renamed += attempt > 1 ? 1 : 0;
        return;
      } catch (error) {
        if (asBerthError(error).code !== 'path_exists' || policy === 'fail') {
          throw error;
        }
        if (policy === 'skip') {
          noting({ ...come, state: 'skipped' });
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
    counts.failed.push(`${as}: ${message}`);
  }
}
