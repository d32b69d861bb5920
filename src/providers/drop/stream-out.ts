/**
 * Copies files and folders out of volumes to a file system that VS Code alone reaches (that of a remote window). Each
 * file passes through here as a whole, since VS Code writes no other way.
 */
import * as vscode from 'vscode';
import { formatBytes } from '../../ui/sizes';
import { asBerthError, type ConflictPolicy, type FileEntry } from '../../api';
import { Cancelled, type Task } from '../../ui/runner';
import { maxWholeBytes, tooLargeToCopy } from '../files/editor-size';
import { baseName, joinPath } from '../../api/rules/volume-path';
import type { VolumePlace } from '../files/volume-uri';
import { chooseConflictPolicy, maxNamed, type ComingFacts, type SidedConflict } from './conflicts';
import { inParallel } from './in-parallel';
import { numbered } from './stream-plan';
import type { TransferCounts } from './transfer-words';

const { t } = vscode.l10n;
const parallel = 4;
const anyRunBit = 0o111;

/** A file or folder to be written. */
interface Outgoing {
  from: VolumePlace;
  to: vscode.Uri;
  entry: FileEntry;
}

/** `exact`: `to` is the name of the one thing; else the folder that all go into. Asks once what to do about conflicts. */
export async function streamOut(
  task: Task,
  places: readonly VolumePlace[],
  to: vscode.Uri,
  exact: boolean,
): Promise<TransferCounts> {
  const counts: TransferCounts = { files: 0, bytes: 0, skipped: [], failed: [], renamed: 0 };
  const named = places.map((place) => ({
    place,
    to: exact ? to : vscode.Uri.joinPath(to, place.path === '/' ? place.volume : baseName(place.path)),
  }));
  // The dialog that asked for an exact name has asked about what is there as well.
  const policy = exact ? 'overwrite' : await policyFor(task, named);
  const files: Outgoing[] = [];
  for (const { place, to: wanted } of named) {
    const target = policy === 'rename' ? await freeName(wanted, counts) : wanted;
    files.push(...(await walk(task, place, target, counts)));
  }
  await writeAll(task, files, policy, counts);
  return counts;
}

interface Named {
  place: VolumePlace;
  to: vscode.Uri;
}

async function policyFor(task: Task, named: readonly Named[]): Promise<ConflictPolicy> {
  const conflicts: SidedConflict[] = [];
  for (const { place, to } of named) {
    const there = await statOf(to);
    if (there === undefined) {
      continue;
    }
    const coming = conflicts.length < maxNamed ? await factsIn(task, place) : undefined;
    const isFile = (there.type & vscode.FileType.Directory) === 0;
    conflicts.push({
      path: to.path,
      type: isFile ? 'file' : 'directory',
      ...(isFile && { there: { size: there.size, mtimeMs: there.mtime } }),
      ...(coming && { coming }),
    });
  }
  return chooseConflictPolicy({ conflicts, total: conflicts.length });
}

/** Undefined for a folder. */
async function factsIn(
  { client, signal }: Task,
  { volume, path }: VolumePlace,
): Promise<ComingFacts | undefined> {
  const found = await client.call('files.stat', { params: { volume }, query: { path }, signal });
  return found.type === 'file' ? { size: found.size, mtimeMs: found.mtimeMs } : undefined;
}

async function freeName(uri: vscode.Uri, counts: TransferCounts): Promise<vscode.Uri> {
  if (!(await exists(uri))) {
    return uri;
  }
  counts.renamed++;
  for (let number = 2; ; number++) {
    const other = uri.with({ path: numbered(uri.path, number) });
    if (!(await exists(other))) {
      return other;
    }
  }
}

/** Makes the folders, and answers the files: what they are is known before the first is read. */
async function walk(
  task: Task,
  start: VolumePlace,
  target: vscode.Uri,
  counts: TransferCounts,
): Promise<Outgoing[]> {
  const { client, signal } = task;
  const entry = await client.call('files.stat', {
    params: { volume: start.volume },
    query: { path: start.path },
    signal,
  });
  const files: Outgoing[] = [];
  const folders: Outgoing[] = [];
  // What was chosen itself is meant, also when it is a link.
  sortOne({ from: start, to: target, entry: resolved(entry) }, files, folders, counts);
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    if (signal.aborted) {
      throw new Cancelled();
    }
    const { from, to } = folder;
    task.report(from.path);
    await orFailed(counts, from.path, async () => {
      await vscode.workspace.fs.createDirectory(to);
      const query = { path: from.path };
      const { entries } = await client.call('files.list', { params: { volume: from.volume }, query, signal });
      for (const each of entries) {
        const below = { volume: from.volume, path: joinPath(from.path, each.name) };
        sortOne({ from: below, to: vscode.Uri.joinPath(to, each.name), entry: each }, files, folders, counts);
      }
    });
  }
  return files;
}

function resolved(entry: FileEntry): FileEntry {
  const { type, targetType } = entry;
  return type === 'symlink' && (targetType === 'file' || targetType === 'directory')
    ? { ...entry, type: targetType }
    : entry;
}

/** VS Code makes no links: those to files become copies, others stay behind. */
function sortOne(found: Outgoing, files: Outgoing[], folders: Outgoing[], counts: TransferCounts): void {
  const { entry, from } = found;
  if (entry.type === 'directory') {
    folders.push(found);
  } else if (entry.type === 'file' || entry.targetType === 'file') {
    files.push(found);
  } else {
    counts.failed.push(
      entry.type === 'symlink'
        ? t('{0}: VS Code can’t make a link there.', from.path)
        : t('{0}: it is neither a file nor a folder.', from.path),
    );
  }
}

async function writeAll(
  task: Task,
  files: readonly Outgoing[],
  policy: ConflictPolicy,
  counts: TransferCounts,
): Promise<void> {
  let runnable = 0;
  await inParallel(files, { atOnce: parallel, signal: task.signal }, async (file) => {
    await orFailed(counts, file.from.path, async () => {
      await writeOne(task, file, policy, counts);
      runnable += (file.entry.mode & anyRunBit) === 0 ? 0 : 1;
    });
    const done = counts.files + counts.skipped.length + counts.failed.length;
    task.report(
      t('{0} of {1} files, {2}', counts.files, files.length, formatBytes(counts.bytes)),
      (done / files.length) * 100,
    );
  });
  if (runnable > 0) {
    counts.notes = [t('VS Code can’t make files executable there: {0} were.', runnable)];
  }
}

async function writeOne(
  { client, signal }: Task,
  { from, to, entry }: Outgoing,
  policy: ConflictPolicy,
  counts: TransferCounts,
): Promise<void> {
  if (entry.size > maxWholeBytes) {
    throw new Error(tooLargeToCopy(from.path, entry.size));
  }
  if (policy === 'skip' && (await exists(to))) {
    counts.skipped.push(from.path);
    return;
  }
  const content = await client.readFile(from.volume, from.path, { signal });
  await vscode.workspace.fs.writeFile(to, content);
  counts.files++;
  counts.bytes += content.length;
}

const exists = async (uri: vscode.Uri): Promise<boolean> => (await statOf(uri)) !== undefined;

async function statOf(uri: vscode.Uri): Promise<vscode.FileStat | undefined> {
  return vscode.workspace.fs.stat(uri).then(
    (found) => found,
    () => undefined,
  );
}

/** One that fails is named, and the rest goes on. */
async function orFailed(counts: TransferCounts, path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { code, message } = asBerthError(error);
    if (error instanceof Cancelled || code === 'cancelled') {
      throw error;
    }
    counts.failed.push(`${path}: ${message}`);
  }
}
