/**
 * Files of the cache that several engines make and use: put in place as a whole, and never in the place of one that is
 * there, as overlays may lie over it by now.
 */
import { constants } from 'node:fs';
import { copyFile, link, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { draftOf } from '../../../store/drafts';
import { isErrno } from '../../../store/files';
import { acquireLock, type Lock } from '../../../store/lock';
import { throwIfCancelled } from '../../containers/wait';

const lockPollMs = 200;
/** Of file systems that know no hard links, or no more of this file. */
const noLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL'];

/** Puts a draft in place unless there is a file already, which stays; the draft is gone in either case. */
export async function publish(draft: string, path: string): Promise<void> {
  await syncPath(draft);
  try {
    await link(draft, path);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) {
      if (!isErrno(error, ...noLinks)) {
        throw error;
      }
      // Whoever publishes has the lock: nobody puts one there between the two.
      if ((await stat(path).catch(() => undefined)) === undefined) {
        await rename(draft, path);
      }
    }
  }
  await rm(draft, { force: true });
  await syncPath(dirname(path));
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
    await syncPath(draft);
    await rename(draft, to);
  } finally {
    await rm(draft, { force: true });
  }
}

/** Waits until no other process holds the lock. */
export async function lockFile(path: string, signal: AbortSignal, what: string): Promise<Lock> {
  for (;;) {
    throwIfCancelled(signal, what);
    const lock = acquireLock(path);
    if (lock !== undefined) {
      return lock;
    }
    await sleep(lockPollMs, undefined, { signal }).catch(() => undefined);
  }
}

/** What is on disk of a file or folder outlives a crash of this machine. */
async function syncPath(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } catch (error) {
    // Not every system syncs folders.
    if (!isErrno(error, 'EPERM', 'EINVAL', 'EISDIR', 'EBADF')) {
      throw error;
    }
  } finally {
    await file.close();
  }
}
