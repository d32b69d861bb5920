/** Files and folders of this machine: read, removed, renamed, synced. Whole files are written by whole-file.ts. */
import {
  access,
  chmod,
  constants,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  type FileHandle,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BerthError } from '../../api/errors';

/** The text of a file, or undefined when there is none. */
export async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) {
      return undefined;
    }
    throw error;
  }
}

/** The names in a folder; none when there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) {
      return [];
    }
    throw error;
  }
}

/** A rename that a power cut does not undo. The content of the file is the caller's to sync. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncFolder(dirname(to));
}

/** A private folder that is there after a power cut as well. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first !== undefined) {
    await syncFolder(dirname(first));
  }
}

/** Removes a file or folder, if it is there, so that a power cut does not bring it back. */
export async function removeTree(path: string): Promise<void> {
  const remove = () => rm(path, { recursive: true, force: true, maxRetries: 3 });
  await remove().catch(async (error: unknown) => {
    if (!isErrno(error, 'EACCES', 'EPERM')) throw error;
    await openFolders(path);
    await remove();
  });
  await syncFolder(dirname(path));
}

/** Nothing leaves a folder that its owner may not write to, as copies of such folders are: root alone never sees it. */
async function openFolders(folder: string | Buffer): Promise<void> {
  const status = await lstat(folder);
  if (!status.isDirectory()) return;
  await chmod(folder, status.mode | 0o700);
  for (const name of await readdir(folder, { encoding: 'buffer' })) {
    await openFolders(Buffer.concat([Buffer.from(folder), Buffer.from('/'), name]));
  }
}

/** All that was written to a file is on the disk afterwards. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A folder that is gone has nothing to lose; some systems (Windows) and file systems don't sync folders. */
export async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'EINVAL', 'EISDIR', 'EPERM', 'EACCES', 'ENOTSUP', 'EBADF')) {
      throw error;
    }
  }
}

/**
 * For reading. A FIFO would wait for somebody to write, and keep a thread; a device may have no end. Throws for these.
 */
export async function openRegular(path: string): Promise<FileHandle> {
  // Undefined on Windows, which is none of the bits.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  if (!(await file.stat()).isFile()) {
    await file.close();
    throw new Error('it is not a regular file');
  }
  return file;
}

/** Throws `path_exists`. */
export async function refuseExisting(path: string): Promise<void> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (isThere) {
    throw pathExists(path);
  }
}

/** The error `path_exists`. */
export function pathExists(path: string): BerthError {
  return new BerthError('path_exists', `There is a file ${path} already.`, { hint: 'Choose another name.' });
}

/** A time for `utimes` and its like, which take a number before 1970 for now. */
export function fileTime(ms: number): number | Date {
  return ms < 0 ? new Date(ms) : ms / 1000;
}

/** Whether it is an error of the system with one of these codes, e.g. `ENOENT`. */
export function isErrno(error: unknown, ...codes: string[]): error is Error {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
  );
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** What is ours in a folder, and the folder when nothing else is left in it: what a user keeps there stays. */
export async function removeOurs(folder: string, isOurs: (name: string) => boolean): Promise<void> {
  try {
    const ours = (await readdir(folder)).filter(isOurs);
    await Promise.all(ours.map((name) => removeTree(join(folder, name))));
    await rmdir(folder);
  } catch (error) {
    const isAFile = isErrno(error, 'ENOTDIR') && (await isThere(folder));
    if (!isAFile && !isErrno(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) {
      throw error;
    }
  }
}
