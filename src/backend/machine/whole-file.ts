/**
 * The one way in which a file of ours comes to be: written beside its place under the name of a draft, synced, renamed,
 * and the folder synced. So it is there as a whole or not at all, also after a kill, a full disk or a power cut. The
 * libraries for this take a write that the disk had room for half of as done, and put the half in place of the whole file.
 */
import { copyFile, lstat, open, readFile, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { BerthError } from '../../api/errors';
import { draftOf } from './drafts';
import { isErrno, renameDurably } from './files';
import { placeNew, placeNewOrThrow } from './place-new';

export interface WholeFileOptions {
  /** Permission bits; those that `write` gave the draft unless given. */
  mode?: number;
  /**
   * What becomes of a file that is there already: it is replaced (unless told), it stays, or it stays and `path_exists`
   * is thrown.
   */
  ifPresent?: 'replace' | 'keep' | 'refuse';
  /** False for what a power cut may take, as it is made anew then: nothing is synced. */
  isDurable?: boolean;
}

/** Of a file whose name follows from its content. */
export interface NamedLater<T> {
  /** A path in the folder that drafts lie in, on the disk of the file. */
  beside: string;
  nameOf: (written: T) => string;
}

/**
 * Makes a file of what `write` puts at the path that it is given, where there is nothing yet. Answers what `write`
 * answers. Throws what it throws; then the file is as it was, and no draft is left.
 */
export async function writeWhole<T>(
  path: string | NamedLater<T>,
  write: (draft: string) => Promise<T>,
  options: WholeFileOptions = {},
): Promise<T> {
  const draft = draftOf(typeof path === 'string' ? path : path.beside);
  try {
    const written = await write(draft);
    await place(draft, typeof path === 'string' ? path : path.nameOf(written), options);
    return written;
  } finally {
    await rm(draft, { force: true });
  }
}

async function place(
  draft: string,
  path: string,
  { mode, ifPresent = 'replace', isDurable = true }: WholeFileOptions,
): Promise<void> {
  await settle(draft, mode, isDurable);
  if (ifPresent === 'refuse') {
    await placeNewOrThrow(draft, path);
  } else if (ifPresent === 'keep') {
    await placeNew(draft, path);
  } else {
    await (isDurable ? renameDurably(draft, path) : rename(draft, path));
  }
}

/** The mode last: a file that its owner may not write to can't be opened to be synced. */
async function settle(draft: string, mode: number | undefined, isDurable: boolean): Promise<void> {
  const file = await open(draft, 'r+');
  try {
    if (mode !== undefined) await file.chmod(mode);
    if (isDurable) await file.sync();
  } finally {
    await file.close();
  }
}

/** Replaces `path` by `content`, or leaves it as it was. Mode 0600 unless told; the owner stays. Throws `no_space`. */
export async function replaceFile(path: string, content: string | Buffer, mode = 0o600): Promise<void> {
  try {
    await writeWhole(path, (draft) => fill(draft, content, path), { mode });
  } catch (error) {
    throw isErrno(error, 'ENOSPC', 'EDQUOT') ? diskFull(path, error) : error;
  }
}

/** The same, but a file that has this content and mode already is left alone: nothing waits for the disk then. */
export async function replaceChanged(path: string, content: string, mode = 0o600): Promise<void> {
  const status = await lstat(path).catch(() => undefined);
  const isSame =
    status?.isFile() === true &&
    (process.platform === 'win32' || (status.mode & 0o7777) === mode) &&
    status.size === Buffer.byteLength(content) &&
    (await readFile(path, 'utf8').catch(() => undefined)) === content;
  if (!isSame) {
    await replaceFile(path, content, mode);
  }
}

async function fill(draft: string, content: string | Buffer, path: string): Promise<void> {
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await keepOwner(file, path);
  } finally {
    await file.close();
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

/** Copies a file, holes and all where the system does so; `to` is whole or as it was. */
export async function copyWhole(from: string, to: string): Promise<void> {
  await writeWhole(to, (draft) => copyFile(from, draft));
}

/** Also to another disk; at the new place it is whole or not there, and on the disk before the old one goes. */
export async function moveFile(from: string, to: string): Promise<void> {
  try {
    await renameDurably(from, to);
    return;
  } catch (error) {
    if (!isErrno(error, 'EXDEV')) {
      throw error;
    }
  }
  await copyWhole(from, to);
  await rm(from, { force: true });
}
