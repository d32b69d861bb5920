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
 * Asks what to do about what is in the way, then writes them. Throws `Cancelled`; what failed is counted,
 * not thrown.
 */
export async function streamIn(
  task: Task,
  incoming: readonly Incoming[],
  to: VolumePlace,
): Promise<TransferCounts> {
  const counts: TransferCounts = { files: 0, bytes: 0, skipped: [], failed: [], renamed: 0 };
  const { conflicts, folders } = await conflictsOf(task, incoming, to);
  const policy = await chooseConflictPolicy({ conflicts, total: conflicts.length, folders });
  const coming = policy === 'rename' ? await besides(task, incoming, to, folders) : incoming;
  counts.renamed += policy === 'rename' ? folders.length : 0;
  await makeFolders(task, coming, to);
  const files = coming.filter(({ read }) => read !== undefined);
  await inParallel(files, { atOnce: parallel, signal: task.signal }, async (next) => {
    await writeOne(task, next, to, policy, counts);
    const done = counts.files + counts.skipped.length + counts.failed.length;
    task.report(
      t('{0} of {1} files, {2}', done, files.length, formatBytes(counts.bytes)),
      (done / files.length) * 100,
    );
  });
  return counts;
}

const topOf = (name: string): string => name.split('/')[0] ?? name;

/** What is in the way, as the engine sees it: folders are merged, and what is in them is compared. */
async function conflictsOf(
  task: Task,
  incoming: readonly Incoming[],
  to: VolumePlace,
): Promise<{ conflicts: SidedConflict[]; folders: string[] }> {
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
  const look = async (name: string): Promise<void> => {
    const found = await entryAt(task, to.volume, joinPath(to.path, name));
    if (found?.type === 'directory' && isFolder.has(name)) {
      merged.add(name);
    } else if (found !== undefined) {
      const conflict: SidedConflict = { ...found, path: `${to.volume}:${found.path}` };
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
  return { conflicts, folders: [...folders] };
}

/** Undefined for a folder, and for what can't be read: that is said when it is brought. */
async function factsOf(coming: Incoming | undefined): Promise<ComingFacts | undefined> {
  try {
    return await coming?.facts?.();
  } catch {
    return undefined;
  }
}

/** The same, in folders of other names where these would meet some of their own. */
async function besides(
  task: Task,
  incoming: readonly Incoming[],
  to: VolumePlace,
  folders: readonly string[],
): Promise<Incoming[]> {
  const free = new Map<string, string>();
  for (const folder of folders) {
    let number = 2;
    while ((await entryAt(task, to.volume, joinPath(to.path, `${folder} (${number})`))) !== undefined) {
      number++;
    }
    free.set(folder, `${folder} (${number})`);
  }
  return incoming.map((each) => {
    const top = topOf(each.name);
    return { ...each, name: `${free.get(top) ?? top}${each.name.slice(top.length)}` };
  });
}

async function entryAt({ client, signal }: Task, volume: string, path: string) {
  try {
    const found = await client.call('files.stat', { params: { volume }, query: { path }, signal });
    const { type, size, mtimeMs } = found;
    return { path, type, ...(type === 'file' && { there: { size, mtimeMs } }) };
  } catch (error) {
    if (asBerthError(error).code === 'path_not_found') {
      return undefined;
    }
    throw error;
  }
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
  to: VolumePlace,
  policy: ConflictPolicy,
  counts: TransferCounts,
): Promise<void> {
  try {
    const content = Buffer.from((await read?.()) ?? []);
    const overwrite = policy === 'overwrite';
    for (let attempt = 1; ; attempt++) {
      const path = joinPath(to.path, attempt === 1 ? name : numbered(name, attempt));
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

/** `notes.txt` → `notes (2).txt`. */
export function numbered(name: string, number: number): string {
  const slash = name.lastIndexOf('/') + 1;
  const dot = name.lastIndexOf('.');
  const at = dot > slash ? dot : name.length;
  return `${name.slice(0, at)} (${number})${name.slice(at)}`;
}
