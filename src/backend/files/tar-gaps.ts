/** What a container engine leaves out of its tars without a word: sockets, which no tar can carry. */
import { asBerthError } from '../../api/errors';
import { baseName, isInside, joinPath, parentPath, quote } from '../../api/rules/volume-path';
import { notCopied } from '../tar/losses';
import type { TarEntry } from '../tar/header';
import { TarReader } from '../tar/read';
import type { Unread } from './volume-files';

/** One request each. */
const maxLooks = 500;

/** What an engine knows besides its tars. */
export interface BesideTars {
  /** What was made or changed since the image, by paths without links: an image has no sockets. */
  changed(): Promise<readonly string[]>;
  isSocket(path: string): Promise<boolean>;
}

/** Looks for what is missing in the tar of a path while others read it. */
export class TarGaps {
  private readonly reader: TarReader;
  private missing = new Set<string>();
  private failure: unknown;

  private constructor(
    private readonly beside: BesideTars,
    /** As it was asked for. */
    private readonly path: string,
    /** Without links on the way. */
    private readonly real: string,
  ) {
    const see = ({ name }: TarEntry): undefined => {
      const names = name.split('/').filter((part) => part !== '' && part !== '.');
      this.missing.delete(joinPath(real === '/' ? '/' : parentPath(real), ...names));
      return undefined;
    };
    this.reader = new TarReader({ entry: see, large: see });
  }

  /** `real` is called where something has changed: it leads to the folder that `path` is in. */
  static async begin(
    beside: BesideTars,
    path: string,
    unread: Unread,
    real: (folder: string) => Promise<string>,
  ): Promise<TarGaps | undefined> {
    try {
      const changed = await beside.changed();
      if (changed.length === 0) {
        return undefined;
      }
      const found = path === '/' ? '/' : joinPath(await real(parentPath(path)), baseName(path));
      const gaps = new TarGaps(beside, path, found);
      gaps.missing = new Set(changed.filter((each) => isInside(each, found)));
      return gaps;
    } catch (error) {
      unread(path, unknown(error));
      return undefined;
    }
  }

  /** The next piece of the tar; it may be used again afterwards. */
  push(chunk: Buffer): void {
    try {
      if (this.failure === undefined) {
        void this.reader.push(chunk);
      }
    } catch (error) {
      // Whoever reads the tar says what is wrong with it.
      this.failure = error;
    }
  }

  /** After the tar. */
  async report(unread: Unread): Promise<void> {
    if (this.failure !== undefined) {
      unread(this.path, unknown(this.failure));
      return;
    }
    const all = [...this.missing].sort();
    try {
      for (const each of all.slice(0, maxLooks)) {
        if (await this.beside.isSocket(each)) {
          const below = each.slice(this.real === '/' ? 1 : this.real.length + 1);
          unread(below === '' ? this.path : joinPath(this.path, below), notCopied);
        }
      }
    } catch (error) {
      unread(this.path, unknown(error));
      return;
    }
    if (all.length > maxLooks) {
      unread(this.path, `${all.length - maxLooks} more of what is in it was left out, such as sockets`);
    }
  }
}

function unknown(error: unknown): string {
  return `it is not known whether sockets were left out (${quote(asBerthError(error).message)})`;
}
