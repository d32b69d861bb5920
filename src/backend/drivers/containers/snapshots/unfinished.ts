/** Notes of volumes that something is under way in: the engine after one that was killed finds them. */
import { join } from 'node:path';
import { makeFolder, namesIn, removeTree } from '../../../machine/files';
import { replaceFile } from '../../../machine/whole-file';

export class Unfinished {
  private noted: Promise<Set<string>> | undefined;

  /** Without a folder nothing outlives the engine. */
  constructor(private readonly folder: string | undefined) {}

  async has(volume: string): Promise<boolean> {
    return (await this.all()).has(volume);
  }

  async add(volume: string): Promise<void> {
    (await this.all()).add(volume);
    if (this.folder !== undefined) {
      await makeFolder(this.folder);
      await replaceFile(join(this.folder, volume), '');
    }
  }

  async remove(volume: string): Promise<void> {
    (await this.all()).delete(volume);
    if (this.folder !== undefined) {
      await removeTree(join(this.folder, volume));
    }
  }

  private all(): Promise<Set<string>> {
    return (this.noted ??= this.read());
  }

  private async read(): Promise<Set<string>> {
    const names = this.folder === undefined ? [] : await namesIn(this.folder);
    return new Set(names.filter((name) => !name.startsWith('.')));
  }
}
