/**
 * Folders of a user in which downloads, or images to be saved, are under way: each one is on record before it is made, so that the next engine
 * finds what a killed one left there. Nothing else in these folders is ever touched.
 */
import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isErrno, makeFolder, readIfPresent, removeTree } from '../machine/files';
import { replaceFile } from '../machine/whole-file';

const prefix = '.berth-part-';
/** A name that nobody else makes. */
const draftName = /^\.berth-part-[0-9a-f]{16}$/;
const recordName = /^[0-9a-f]{16}\.json$/;

export class DownloadDrafts {
  /** `records`: a folder of the state directory. */
  constructor(private readonly records: string) {}

  /** Makes an empty folder in `folder`; `remove` takes it away again. */
  async make(folder: string): Promise<{ path: string; remove: () => Promise<void> }> {
    const id = randomBytes(8).toString('hex');
    const path = join(folder, `${prefix}${id}`);
    const record = join(this.records, `${id}.json`);
    await makeFolder(this.records);
    await replaceFile(record, JSON.stringify({ path }));
    const remove = async (): Promise<void> => {
      await removeTree(path);
      await rm(record, { force: true });
    };
    try {
      await mkdir(path, { mode: 0o700 });
    } catch (error) {
      await rm(record, { force: true });
      throw error;
    }
    return { path, remove };
  }

  /** Removes what a killed engine left; what can't be reached now is tried again at the next start. */
  async sweep(): Promise<void> {
    const names = await readdir(this.records).catch(() => []);
    for (const name of names.filter((each) => recordName.test(each))) {
      const record = join(this.records, name);
      const path = pathIn(await readIfPresent(record));
      if (path === undefined || (await isGone(path))) {
        await rm(record, { force: true });
      }
    }
  }
}

function pathIn(text: string | undefined): string | undefined {
  try {
    const record: unknown = JSON.parse(text ?? '');
    if (typeof record === 'object' && record !== null && 'path' in record) {
      const { path } = record;
      return typeof path === 'string' && draftName.test(basename(path)) ? path : undefined;
    }
  } catch {
    // not a record: it is removed
  }
  return undefined;
}

/** False when it can't be said, e.g. of a disk that is not mounted now. */
async function isGone(path: string): Promise<boolean> {
  try {
    if ((await lstat(path)).isDirectory()) {
      await removeTree(path);
    }
    return true;
  } catch (error) {
    return isErrno(error, 'ENOENT') && (await isThere(dirname(path)));
  }
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
