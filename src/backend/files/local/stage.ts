/**
 * Downloads arrive in a hidden folder beside where they belong and are moved there when they are complete: the same
 * rules as images/tools/agent/stages.py has for volumes.
 */
import { chmod, lstat, readdir, rename } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { BerthError } from '../../../api/errors';
import type { ConflictPolicy } from '../../../api/files/schemas';
import { decodeName, localPath } from '../../machine/file-names';
import { firstFree, numberedName } from '../naming';
import { reasonOf } from './tree';
import type { MergeResult } from '../volume-files';

/** The status of a name, a link not followed; undefined when there is none. */
export async function statusOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(localPath(path));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}

const ownersAll = 0o700;

async function namesOf(folder: string): Promise<string[]> {
  return (await readdir(localPath(folder), { encoding: 'buffer' })).map(decodeName).sort();
}

function whyNotPlaced(error: unknown): string {
  const isDenied =
    error instanceof Error && 'code' in error && ['EACCES', 'EPERM'].includes(String(error.code));
  return isDenied ? 'nothing may be put there' : reasonOf(error);
}

class LocalMerge {
  readonly result: MergeResult = { files: 0, skipped: [], renamed: [], failed: [] };

  constructor(
    private readonly policy: ConflictPolicy,
    private readonly signal: AbortSignal,
    private readonly changed: Set<string>,
  ) {}

  async folder(source: string, target: string, path: string): Promise<void> {
    for (const name of await namesOf(source)) {
      this.signal.throwIfAborted();
      const child = `${path}/${name}`;
      try {
        await this.child(name, source, target, child);
      } catch (error) {
        if (error instanceof BerthError) {
          throw error;
        }
        this.result.failed.push({ path: child, reason: whyNotPlaced(error) });
      }
    }
  }

  private async child(name: string, source: string, target: string, path: string): Promise<void> {
    const from = join(source, name);
    const to = join(target, name);
    const [fresh, old] = await Promise.all([lstat(localPath(from)), statusOf(to)]);
    if (old === undefined) {
      await this.move(from, to, fresh);
    } else if (this.policy === 'rename') {
      await this.moveBeside(name, from, target, path, fresh);
    } else if (fresh.isDirectory() && old.isDirectory()) {
      // The stage is ours: what its folders let nobody do is meant for where they go.
      await chmod(localPath(from), ownersAll);
      await this.folder(from, to, path);
    } else if (this.policy === 'fail') {
      throw new BerthError('path_exists', `${JSON.stringify(to)} exists already.`);
    } else if (this.policy === 'skip') {
      this.result.skipped.push(path);
    } else if (fresh.isDirectory() || old.isDirectory()) {
      const reason = fresh.isDirectory()
        ? 'a folder does not replace a file'
        : 'a file does not replace a folder';
      this.result.failed.push({ path, reason });
    } else {
      if (fresh.isFile() && old.isFile()) {
        await chmod(localPath(from), old.mode & 0o777);
      }
      await this.move(from, to, fresh);
    }
  }

  private async moveBeside(
    name: string,
    from: string,
    folder: string,
    path: string,
    fresh: Stats,
  ): Promise<void> {
    const nameOf = (number: number): string => numberedName(name, number, fresh.isDirectory());
    const isTaken = async (candidate: string): Promise<boolean> =>
      (await statusOf(join(folder, candidate))) !== undefined;
    const free = await firstFree(nameOf, isTaken, 2);
    await this.move(from, join(folder, free), fresh);
    this.result.renamed.push({ from: path, to: `${path.slice(0, -name.length)}${free}` });
  }

  private async move(from: string, to: string, fresh: Stats): Promise<void> {
    await renameFolderToo(localPath(from), localPath(to), fresh);
    this.changed.add(dirname(to));
    this.result.files += fresh.isDirectory() ? 0 : 1;
  }
}

/** Who may not write into a folder may not rename it either, as its `..` changes: an ordinary user, for a moment, may. */
async function renameFolderToo(from: string | Buffer, to: string | Buffer, fresh: Stats): Promise<void> {
  const mode = fresh.mode & 0o7777;
  if (!fresh.isDirectory() || (mode & ownersAll) === ownersAll || process.platform === 'win32') {
    await rename(from, to);
    return;
  }
  await chmod(from, mode | ownersAll);
  try {
    await rename(from, to);
  } catch (error) {
    await chmod(from, mode);
    throw error;
  }
  await chmod(to, mode);
}

/**
 * Moves what was staged into `target`; files of folders that are moved as a whole are not counted. `changed` gets the
 * folders that have new names in them.
 */
export async function mergeLocalStage(
  stage: string,
  target: string,
  policy: ConflictPolicy,
  signal: AbortSignal,
  changed = new Set<string>(),
): Promise<MergeResult> {
  const merge = new LocalMerge(policy, signal, changed);
  await merge.folder(stage, target, '');
  return merge.result;
}
