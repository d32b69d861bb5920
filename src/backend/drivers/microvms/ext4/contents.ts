/** Contents of files on their way into an image: flat files with names of ours, in a folder of ours. */
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { BerthError } from '../../../../api/errors';
import type { ContentSink } from '../../../files/tar-read';

/** Small files that are written while more is read. */
const atOnce = 32;

export class Contents {
  private readonly writing = new Set<Promise<void>>();
  private failure: { error: unknown } | undefined;
  private count = 0;
  private taken = 0;

  constructor(
    readonly folder: string,
    /** Of all of them together. */
    private readonly mostBytes = Infinity,
  ) {}

  /** The path that a file with that content will have; it is there when all have settled. */
  keep(content: Buffer): string {
    const path = this.next(content.length);
    const writing: Promise<void> = writeFile(path, content, { mode: 0o644 })
      .catch((error: unknown) => void (this.failure ??= { error }))
      .finally(() => this.writing.delete(writing));
    this.writing.add(writing);
    return path;
  }

  /** To be waited for before more is kept; undefined while there is room. */
  room(): Promise<void> | undefined {
    return this.writing.size < atOnce ? undefined : Promise.race(this.writing).then(() => this.check());
  }

  /** Resolves when nothing is being written any more; throws what went wrong with any. */
  async settled(): Promise<void> {
    await Promise.all(this.writing);
    this.check();
  }

  private check(): void {
    if (this.failure !== undefined) {
      throw this.failure.error;
    }
  }

  /** The same for a content that comes in pieces. */
  stream(size: number): { path: string; sink: ContentSink } {
    const path = this.next(size);
    const file = createWriteStream(path, { mode: 0o644 });
    // Also told by the next piece, or by the end.
    file.on('error', () => undefined);
    const sink: ContentSink = {
      piece: (bytes) =>
        file.write(Buffer.from(bytes)) ? undefined : once(file, 'drain').then(() => undefined),
      end: () => finished(file.end()),
    };
    return { path, sink };
  }

  private next(size: number): string {
    this.taken += size;
    if (this.taken > this.mostBytes) {
      throw new BerthError(
        'no_space',
        `The files are more than ${Math.floor(this.mostBytes / 1024 ** 2)} MiB.`,
        {
          hint: 'They do not fit into a disk of that size.',
        },
      );
    }
    this.count += 1;
    return join(this.folder, String(this.count));
  }
}
