/**
 * Names of files that are not whole yet. A draft lies beside the file that it becomes, so that a rename puts it there,
 * and has a name that nobody else makes: whatever else somebody keeps in our folders, a backup beside a disk too, stays.
 */
import { randomBytes } from 'node:crypto';
import { lstat, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { removeTree } from './files';

const prefix = '.berth-draft-';
/** What nobody wrote to for so long has no writer any more. */
export const abandonedAfterMs = 3_600_000;
const pattern = /^\.berth-draft-[0-9a-f]{32}(?:\.content|\.redo|\.lock)?$/;

/** A new draft of `path`. Files that belong to it may have its name with `.content`, `.redo` or `.lock`. */
export function draftOf(path: string): string {
  return join(dirname(path), `${prefix}${randomBytes(16).toString('hex')}`);
}

export function isDraft(name: string): boolean {
  return pattern.test(name);
}

/**
 * Removes drafts that a killed process left in `folder`. Where other processes write as well, `olderThanMs` keeps
 * what was written to since then.
 */
export async function sweepDrafts(folder: string, olderThanMs = 0): Promise<void> {
  const names = (await readdir(folder).catch(() => [])).filter(isDraft);
  for (const name of names) {
    const path = join(folder, name);
    const changed = await writtenAt(path).catch(() => undefined);
    if (olderThanMs === 0 || (changed !== undefined && Date.now() - changed > olderThanMs)) {
      await removeTree(path).catch(() => undefined);
    }
  }
}

/** In ms since 1970; of a folder when it or a file in it was written to last. */
async function writtenAt(path: string): Promise<number> {
  const found = await lstat(path);
  const inside = found.isDirectory() ? await readdir(path) : [];
  const times = await Promise.all(inside.map((name) => lstat(join(path, name)).catch(() => undefined)));
  return Math.max(found.mtimeMs, ...times.map((each) => each?.mtimeMs ?? 0));
}
