/**
 * Files of the cache that several engines make and use: put in place as a whole, and never in the place of one that is
 * there, as overlays may lie over it by now.
 */
import { link, rm } from 'node:fs/promises';
import { cloneFile } from './copies';
import { isErrno } from './files';
import { acquireLock, type Lock } from './lock';
import { noLinks } from './place-new';
import { waitFor } from './wait';
import { writeWhole } from './whole-file';

const lockPollMs = 200;

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
  await writeWhole(to, async (draft) => {
    if (!(await cloneFile(from, draft))) {
      await copy(from, draft);
    }
  });
}

/** Waits until no other process holds the lock. */
export async function lockFile(path: string, signal: AbortSignal, what: string): Promise<Lock> {
  const options = { what, timeoutMs: Infinity, intervalMs: lockPollMs, signal };
  return waitFor(() => acquireLock(path), options);
}
