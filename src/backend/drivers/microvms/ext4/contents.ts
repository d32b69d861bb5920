/** Contents of files on their way into an image: flat files with names of ours, in a folder of ours. */
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { BerthError } from '../../../../api/errors';
import type { ContentSink } from '../../../files/tar-read';

export class Contents {
  private count = 0;
  private taken = 0;

  constructor(
    readonly folder: string,
    /** Of all of them together. */
    private readonly mostBytes = Infinity,
  ) {}

  /** The path of a file with that content. */
  async keep(content: Buffer): Promise<string> {
    const path = this.next(content.length);
    await writeFile(path, content, { mode: 0o644 });
    return path;
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
