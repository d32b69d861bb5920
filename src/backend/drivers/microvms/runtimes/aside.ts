/**
 * The files of a stopped microVM while another one is tried under its name. Folders are renamed as a whole when they
 * are complete, so that an engine that was killed in between finds out what was being done.
 */
import { mkdir, rename, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { namesIn, removeTree } from '../../../machine/files';
import { isRuntimeFile, type MicrovmFiles } from './runtime-files';

const complete = 'before';
const going = 'setting-aside';
const coming = 'taking-back';
/** Beside the files of the one that is in its place. */
export const asideFolders: readonly string[] = [complete, going, coming];

export class Aside {
  constructor(private readonly files: MicrovmFiles) {}

  /** What was aside already is older than this one, which was to take its place. */
  async put(name: string): Promise<void> {
    const { folder } = this.files.of(name);
    await removeTree(join(folder, complete));
    await mkdir(join(folder, going), { recursive: true, mode: 0o700 });
    await this.move(name, folder, join(folder, going));
    await rename(join(folder, going), join(folder, complete));
  }

  async isThere(name: string): Promise<boolean> {
    return (await namesIn(this.files.of(name).folder)).includes(complete);
  }

  /** Removes what is in its place; nothing of that may run. */
  async takeBack(name: string): Promise<void> {
    const { folder, record } = this.files.of(name);
    // The record first: what has none is no runtime.
    await removeTree(record);
    const own = (await namesIn(folder)).filter(isRuntimeFile);
    await Promise.all(own.map((entry) => removeTree(join(folder, entry))));
    await rename(join(folder, complete), join(folder, coming));
    await this.finish(name, coming);
  }

  async drop(name: string): Promise<void> {
    await removeTree(join(this.files.of(name).folder, complete));
  }

  /** Ends what an engine that was killed had begun: the old microVM is back, unless there is a new one. */
  async heal(name: string): Promise<void> {
    const { folder, record } = this.files.of(name);
    const entries = await namesIn(folder);
    if (entries.includes(coming)) {
      await this.finish(name, coming);
    } else if (entries.includes(going)) {
      await this.finish(name, going);
    } else if (entries.includes(complete) && !entries.includes(basename(record))) {
      await this.takeBack(name);
    }
  }

  private async finish(name: string, from: string): Promise<void> {
    const { folder } = this.files.of(name);
    await this.move(name, join(folder, from), folder);
    await rmdir(join(folder, from));
  }

  /** The record last: where it is, everything is. */
  private async move(name: string, from: string, to: string): Promise<void> {
    const record = basename(this.files.of(name).record);
    const entries = (await namesIn(from)).filter(isRuntimeFile);
    const others = entries.filter((entry) => entry !== record);
    for (const entry of [...others, ...entries.filter((each) => each === record)]) {
      await rename(join(from, entry), join(to, entry));
    }
  }
}
