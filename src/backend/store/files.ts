/**
 * The one way to write a file of ours: temp file, fsync, rename. Libraries for this take a write that the disk had
 * room for half of as done, and put the half in place of the whole file that was there.
 */
import { randomInt } from 'node:crypto';
import { copyFile, open, readFile, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { BerthError } from '../../api/errors';

/** Replaces `path` by `content`, or leaves it as it was. Mode 0600 unless told; the owner stays. */
export async function replaceFile(path: string, content: string | Buffer, mode = 0o600): Promise<void> {
  // What a killed engine leaves is known by this ending, and swept at the next start.
  const draft = `${path}.${randomInt(2 ** 47)}`;
  try {
    const file = await open(draft, 'wx', mode);
    try {
      await file.writeFile(content);
      await keepOwner(file, path);
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw isErrno(error, 'ENOSPC', 'EDQUOT') ? diskFull(path, error) : error;
  }
}

/** Of a file that belongs to somebody else, e.g. the ssh config of who ran us by sudo. */
async function keepOwner(file: FileHandle, path: string): Promise<void> {
  const [old, now] = await Promise.all([stat(path).catch(() => undefined), file.stat()]);
  if (old !== undefined && (old.uid !== now.uid || old.gid !== now.gid)) {
    await file.chown(old.uid, old.gid).catch((error: unknown) => {
      if (!isErrno(error, 'EPERM', 'ENOSYS', 'EINVAL')) {
        throw error;
      }
    });
  }
}

function diskFull(path: string, cause: unknown): BerthError {
  return new BerthError('no_space', `The disk is full: ${path} was not written and is as it was.`, {
    hint: 'Make room on the disk that holds the state directory, then try again.',
    cause,
  });
}

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

/** Also to another disk; at the new place it is whole or not there. */
export async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
    return;
  } catch (error) {
    if (!isErrno(error, 'EXDEV')) {
      throw error;
    }
  }
  const draft = `${to}.${randomInt(2 ** 47)}`;
  try {
    await copyFile(from, draft);
    await rename(draft, to);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await rm(from, { force: true });
}

export async function removeTree(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}

export function isErrno(error: unknown, ...codes: string[]): boolean {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
  );
}
