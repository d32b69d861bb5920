/** Files of this machine that must be on the disk before the only other copy of them goes. */
import type { Dirent } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeName, localPath } from '../../machine/file-names';
import { isErrno } from '../../machine/files';
import { runWell } from '../../machine/run';

/** So many are written one by one; for more, the whole file system is asked. */
const few = 8;
const timeoutMs = 3_600_000;
/** What file systems without such a thing answer, and whoever may not read what was made. */
const passedOver = new Set(['EINVAL', 'ENOSYS', 'ENOTSUP', 'EACCES', 'EPERM', 'EISDIR']);

async function syncOne(path: string): Promise<void> {
  try {
    // Windows writes only what is open for writing.
    const file = await open(localPath(path), process.platform === 'win32' ? 'r+' : 'r');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!passedOver.has(code)) {
      throw error;
    }
  }
}

/** `closed` gets a folder whose entries its owner may not list: who made it knows nothing of what is in it any more. */
async function entriesOf(folder: string, closed: string[]): Promise<Dirent<Buffer>[]> {
  try {
    return await readdir(localPath(folder), { withFileTypes: true, encoding: 'buffer' });
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM')) {
      throw error;
    }
    closed.push(folder);
    return [];
  }
}

/** Files and folders at and below one, the contents of a folder before the folder itself. */
async function* everything(folder: string, closed: string[]): AsyncGenerator<string> {
  for (const entry of await entriesOf(folder, closed)) {
    const path = join(folder, decodeName(entry.name));
    if (entry.isDirectory()) {
      yield* everything(path, closed);
    } else if (entry.isFile()) {
      yield path;
    }
  }
  yield folder;
}

async function firstOf(folder: string, count: number, closed: string[]): Promise<string[]> {
  const found: string[] = [];
  for await (const path of everything(folder, closed)) {
    found.push(path);
    if (found.length === count) {
      break;
    }
  }
  return found;
}

/** False: there is no program here that can. */
async function syncFileSystem(folder: string, signal: AbortSignal): Promise<boolean> {
  if (process.platform !== 'linux') {
    return false;
  }
  try {
    await runWell('sync', ['-f', '--', folder], { what: 'write to the disk', signal, timeoutMs });
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

/** Waits until all that is in a folder of ours is on the disk. */
export async function syncBelow(folder: string, signal: AbortSignal): Promise<void> {
  const closed: string[] = [];
  const first = await firstOf(folder, few + 1, closed);
  if ((first.length > few || closed.length > 0) && (await syncFileSystem(folder, signal))) {
    return;
  }
  for await (const path of everything(folder, closed)) {
    signal.throwIfAborted();
    await syncOne(path);
  }
}

/** Waits until the names in these folders, of one file system, are on the disk. */
export async function syncFolders(folders: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
  const [first, ...others] = folders;
  if (first !== undefined && others.length >= few && (await syncFileSystem(first, signal))) {
    return;
  }
  for (const folder of folders) {
    await syncOne(folder);
  }
}
