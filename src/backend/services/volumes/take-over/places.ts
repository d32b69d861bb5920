/** Where things are taken over to. */
import { asBerthError } from '../../../../api/errors';
import type { ComparedFile } from '../../../../api/files/compare';
import type { FileEntry } from '../../../../api/files/schemas';
import { joinPath, parentPath, quote } from '../../../../api/rules/volume-path';
import type { VolumeFiles } from '../../../files/volume-files';
import { Left } from './left';

/** So many folders are remembered: what is below them is looked at one after the other. */
const maxKnown = 1000;

export class Places {
  /** Folders that are some, and no links. */
  private readonly known = new Set<string>();

  constructor(
    private readonly files: VolumeFiles,
    private readonly root: string,
  ) {}

  /** The path in the volume. */
  at(path: string): string {
    return joinPath(this.root, path.slice(1));
  }

  /** Undefined where nothing is. */
  async entryAt(path: string): Promise<FileEntry | undefined> {
    try {
      return await this.files.stat(this.at(path));
    } catch (error) {
      const { code } = asBerthError(error);
      if (code === 'path_not_found' || code === 'not_a_directory') {
        return undefined;
      }
      throw error;
    }
  }

  /** As `entryAt`, where no link leads there. */
  async ownEntryAt(path: string): Promise<FileEntry | undefined> {
    try {
      await this.refuseLinks(path);
    } catch (error) {
      if (error instanceof Left) {
        return undefined;
      }
      throw error;
    }
    return this.entryAt(path);
  }

  /** Through a folder that has become a link, something else would be overwritten. Throws `Left`. */
  async refuseLinks(path: string): Promise<void> {
    const folder = parentPath(path);
    if (path === '/' || folder === '/' || this.known.has(folder)) {
      return;
    }
    await this.refuseLinks(folder);
    const entry = await this.entryAt(folder);
    if (entry?.type === 'directory') {
      this.remember(folder);
    } else if (entry !== undefined) {
      throw new Left('failed', `${quote(folder)} is no folder there`);
    }
  }

  /**
   * `bring` answers the path of such a folder, empty, in a stage. Makes a folder, and those that it is in, where they
   * are missing. Throws `Left` where something else has the name.
   */
  async ensure(folder: string, bring: (folder: string) => Promise<string>): Promise<void> {
    if (folder === '/' || this.known.has(folder)) {
      return;
    }
    await this.ensure(parentPath(folder), bring);
    const entry = await this.entryAt(folder);
    if (entry === undefined) {
      await this.files.rename(await bring(folder), this.at(folder), { overwrite: false });
    } else if (entry.type !== 'directory') {
      throw new Left('failed', `${quote(folder)} is no folder there`);
    }
    this.remember(folder);
  }

  /**
   * A folder that both sides have gets the mode of the other one, which is at `path` of `others`, where that alone is
   * different. `was`: what it must still be. Throws `Left` where it has changed, or more than its mode is different.
   */
  async makeAlike(
    path: string,
    { from, was }: { from: ComparedFile; was: ComparedFile | undefined },
    others: { files: VolumeFiles; at: string },
  ): Promise<void> {
    const there = await this.entryAt(path);
    if (was !== undefined && there?.mode !== was.mode && there?.mode !== from.mode) {
      throw new Left('target', 'it has changed there since it was compared');
    }
    const isOwned = there?.uid === from.uid && there.gid === from.gid;
    if (
      !isOwned ||
      (await attributesOf(this.files, this.at(path))) !== (await attributesOf(others.files, others.at))
    ) {
      throw new Left(
        'failed',
        'of a folder that both sides have the mode is taken over, where owner and attributes are the same',
      );
    }
    if (there.mode !== from.mode) {
      await this.files.chmod(this.at(path), from.mode);
    }
  }

  /** Something else is there now. */
  forget(path: string): void {
    this.known.delete(path);
  }

  private remember(folder: string): void {
    if (this.known.size >= maxKnown) {
      this.known.clear();
    }
    this.known.add(folder);
  }
}

async function attributesOf(files: VolumeFiles, path: string): Promise<string | undefined> {
  const [found] = await files.details([{ path, content: false }]);
  return found === undefined || found === 'gone' || 'reason' in found ? undefined : found.attributes;
}
