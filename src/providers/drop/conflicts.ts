/** Asks once what to do about things that are there already. */
import * as vscode from 'vscode';
import type { ConflictPolicy, TransferCreate } from '../../api';
import type { FileFacts, PathConflict } from '../../api/files/schemas';
import { formatBytes } from '../../ui/sizes';
import { time } from '../../ui/words';
import { choose } from '../../ui/dialog';
import type { Task } from '../../ui/runner';
import { isInside } from '../../api/rules/volume-path';

const { t } = vscode.l10n;

/** What is known of a file to come; a browser does not tell when its files were changed. */
export type ComingFacts = Pick<FileFacts, 'size'> & Partial<FileFacts>;

export interface SidedConflict extends Omit<PathConflict, 'coming'> {
  coming?: ComingFacts;
}

/** How many conflicts are named with what both sides are. */
export const maxNamed = 10;

export interface Conflicts {
  conflicts: SidedConflict[];
  /** More than are listed where there are many. */
  total: number;
  /**
   * Folders that meet a folder of their name: what is in the way is in them, and keeping both gives the whole folder
   * another name.
   */
  folders?: readonly string[];
}

/** `fail` when nothing is in the way; throws `Cancelled` when the user backs out. */
export async function chooseConflictPolicy({
  conflicts,
  total,
  folders = [],
}: Conflicts): Promise<ConflictPolicy> {
  const [first] = conflicts;
  if (first === undefined) {
    return 'fail';
  }
  const [both, replace, skip] = [t('Keep Both'), total === 1 ? t('Replace') : t('Replace All'), t('Skip')];
  const message =
    total === 1
      ? t('{0} is there already.', first.path)
      : t('{0} files or folders are there already.', total);
  const listed =
    total === 1
      ? sidesOf(first)
      : conflicts.slice(0, maxNamed).flatMap((each) => [each.path, ...sidesOf(each)]);
  const rest = total > maxNamed ? [t('… and {0} more', total - maxNamed)] : [];
  const detail = [...listed, ...rest, ...keepBothWords(folders)].join('\n');
  const answer = await choose({
    message,
    detail: detail === '' ? (total === 1 ? t('Replace it?') : t('Replace them?')) : detail,
    harmless: both,
    others: [skip, replace],
  });
  return answer === both ? 'rename' : answer === skip ? 'skip' : 'overwrite';
}

/** Size and time of both files, the newer one marked; nothing for what is no file. */
function sidesOf({ there, coming }: SidedConflict): string[] {
  if (there === undefined || coming === undefined) {
    return [];
  }
  const words = ({ size, mtimeMs }: ComingFacts, other: ComingFacts): string => {
    if (mtimeMs === undefined) {
      return t('{0}, time unknown', formatBytes(size));
    }
    const when = time(new Date(mtimeMs).toISOString());
    return mtimeMs > (other.mtimeMs ?? Infinity)
      ? t('{0}, {1} (newer)', formatBytes(size), when)
      : `${formatBytes(size)}, ${when}`;
  };
  return [t('There: {0}', words(there, coming)), t('New: {0}', words(coming, there))];
}

function keepBothWords(folders: readonly string[]): string[] {
  const [only] = folders;
  if (only === undefined) {
    return [];
  }
  return [
    folders.length === 1
      ? t('Keep Both brings the whole folder {0} under a new name.', only)
      : t('Keep Both brings {0} whole folders under new names.', folders.length),
  ];
}

/** Asks the engine what transfers would meet, and the user once what to do about all of it. */
export async function askedPolicy(
  { client, signal }: Pick<Task, 'client' | 'signal'>,
  requests: readonly TransferCreate[],
): Promise<ConflictPolicy> {
  const all: Required<Conflicts> = { conflicts: [], total: 0, folders: [] };
  const folders = new Set<string>();
  for (const request of requests) {
    const found = await client.call('transfers.conflicts', { body: request, signal });
    const { to } = request;
    const named = (path: string): string => ('volume' in to ? `${to.volume}:${path}` : path);
    all.total += found.total;
    all.conflicts.push(...found.conflicts.map((each) => ({ ...each, path: named(each.path) })));
    for (const { path } of found.conflicts) {
      const folder = folderAround(request, path);
      if (folder !== undefined) {
        folders.add(folder);
      }
    }
  }
  return chooseConflictPolicy({ ...all, folders: [...folders] });
}

/** The name of the folder that comes with what would be at `path`; undefined where that comes by itself. */
function folderAround({ to, exact }: TransferCreate, path: string): string | undefined {
  const target = plain('volume' in to ? to.path : to.local);
  const at = plain(path);
  if (!isInside(at, target) || exact === true) {
    return undefined;
  }
  const [top, ...below] = at
    .slice(target.length)
    .split('/')
    .filter((part) => part !== '');
  return below.length === 0 ? undefined : top;
}

const plain = (path: string): string => path.replace(/\\/g, '/').replace(/(?<=.)\/$/, '');
