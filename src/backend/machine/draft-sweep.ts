/** Removes the drafts of processes that were killed. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isDraft } from './drafts';
import { removeTree } from './files';

/** A draft that nobody has written to for so long has no writer any more. */
export const abandonedAfterMs = 3_600_000;

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
