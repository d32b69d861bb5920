/** Room on the disk that an engine gives up when there is no other, so that it starts where the disk is full. */
import { randomBytes } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import { BerthError, asBerthError } from '../api/errors';
import { isErrno } from './machine/files';
import { replaceFile } from './machine/whole-file';

const reserveBytes = 64 * 1024;

/**
 * Runs `work` again without the reserve when the disk has no room for it. Throws `no_space` where the disk has no room
 * even then, else what `work` throws.
 */
export async function withReserve<T>(path: string, home: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isDiskFull(error)) {
      throw error;
    }
  }
  await rm(path, { force: true });
  try {
    return await work();
  } catch (error) {
    throw isDiskFull(error) ? tooFull(home, error) : error;
  }
}

/** Has the room kept from now on, if there is any. Of random bytes: a file system that compresses would keep none. */
export async function keepReserve(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.size !== reserveBytes) {
    await replaceFile(path, randomBytes(reserveBytes)).catch(() => undefined);
  }
}

function isDiskFull(error: unknown): boolean {
  return isErrno(error, 'ENOSPC', 'EDQUOT') || asBerthError(error).code === 'no_space';
}

function tooFull(home: string, cause: unknown): BerthError {
  return new BerthError('no_space', `The disk that holds ${home} is full: the engine can't start.`, {
    hint: 'Make some room there (100 KiB are enough to start and delete workspaces), then try again.',
    cause,
  });
}
