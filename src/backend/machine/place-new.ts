/** Puts a whole file where there is none. A rename would do it in the place of what appeared there meanwhile. */
import { link, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isErrno, pathExists, renameDurably, syncFile, syncFolder } from './files';

/** Of file systems that know no hard links, or no more of this file. */
export const noLinks: readonly string[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL'];

/** Of node:fs, for tests. */
export interface PlaceNewSystem {
  link: typeof link;
}

/**
 * False when there is something at `path` already, which stays as it is. The draft, which is on the same disk, is gone
 * when this is true. Its content is on the disk before it has its name.
 */
export async function placeNew(
  draft: string,
  path: string,
  system: PlaceNewSystem = { link },
): Promise<boolean> {
  await syncFile(draft);
  try {
    await system.link(draft, path);
  } catch (error) {
    if (isErrno(error, 'EEXIST')) {
      return false;
    }
    if (!isErrno(error, ...noLinks)) {
      throw error;
    }
    return replacePlaceholder(draft, path);
  }
  await rm(draft, { force: true });
  await syncFolder(dirname(path));
  return true;
}

/** As `placeNew`. Throws `path_exists`. */
export async function placeNewOrThrow(draft: string, path: string): Promise<void> {
  if (!(await placeNew(draft, path))) {
    throw pathExists(path);
  }
}

/** The name is taken before the file gets it. */
async function replacePlaceholder(draft: string, path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx', 0o600)).close();
  } catch (error) {
    if (isErrno(error, 'EEXIST')) {
      return false;
    }
    throw error;
  }
  try {
    await renameDurably(draft, path);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  return true;
}
