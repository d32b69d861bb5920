/**
 * Files of the cache that several engines make and use: put in place as a whole, and never in the place of one that is
 * there, as overlays may lie over it by now.
 */
import { constants } from 'node:fs';
import { copyFile, link, rm } from 'node:fs/promises';
import { draftOf } from './drafts';
import { isErrno, renameDurably, syncFile } from './files';
import { acquireLock, type Lock } from './lock';
import { noLinks, placeNew } from './place-new';
import { waitFor } from './wait';

const lockPollMs = 200;

/** Puts a draft in place unless there is a file already, which stays; the draft is gone in either case. */
export async function publish(draft: string, path: string): Promise<void> {
  await placeNew(draft, path);
  await rm(draft, { force: true });
}

/**
 * A second name for the content of a file that nobody writes to: a hard link where that works, else the same blocks,
 * else a copy by `copy`. Whole or not there.
 */
export async function keepFile(
  from: string,
  to: string,
  copy: (from: string, to: string) => Promise<void>,
): Promise<void> {
  await rm(to, { force: true });
  try {
    await link(from, to);
    return;
  } catch (error) {
    if (!isErrno(error, 'EXDEV', ...noLinks)) {
      throw error;
    }
  }
  const draft = draftOf(to);
  try {
    try {
      await copyFile(from, draft, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    } catch {
      await rm(draft, { force: true });
      await copy(from, draft);
    }
    await syncFile(draft);
    await renameDurably(draft, to);
  } finally {
    await rm(draft, { force: true });
  }
}

/** Waits until no other process holds the lock. */
export async function lockFile(path: string, signal: AbortSignal, what: string): Promise<Lock> {
  const options = { what, timeoutMs: Infinity, intervalMs: lockPollMs, signal };
  return waitFor(() => acquireLock(path), options);
}
