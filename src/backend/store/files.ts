/** The one way to write a file of ours: temp file, fsync, rename. */
import { readFile, rm } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';

/** Replaces `path` by `content`, or leaves it as it was. Mode 0600 unless told. */
export async function replaceFile(path: string, content: string | Buffer, mode = 0o600): Promise<void> {
  await writeFileAtomic(path, content, { mode });
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

export async function removeTree(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}

export function isErrno(error: unknown, ...codes: string[]): boolean {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
  );
}
