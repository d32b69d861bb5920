/** Reads small files of this machine before they are asked for: a few by themselves, many by a thread of their own. */
import { close, open, read } from 'node:fs';
import { promisify } from 'node:util';
import { localPath } from '../../../machine/file-names';
import { readFlags } from '../open-flags';
import { Batches } from './batches';
import { LocalThread } from '../thread';

/** So many files of one transfer are worth a thread. */
const enough = 200;
/** What is larger is no faster by one. */
export const smallSize = 128 * 1024;

const maxFiles = { alone: 24, many: 1024 };
/** Of contents that are in memory until they are asked for. */
const maxBytes = 4 * 1024 * 1024;

/** Not the promise API: it costs twice as much per file. */
const openFile = promisify(open);
const closeFile = promisify(close);
const readFile = promisify(read);

interface Item {
  source: string;
  size: number;
}

/** The content of a file, as long as was asked for, or why there is none. */
export type Small = { content: Buffer } | { error: unknown };

export class ReadAhead {
  private readonly thread = new LocalThread();
  private readonly batches = new Batches<Item, Buffer>(
    (items) =>
      this.thread.run({
        read: items.map(({ source }) => source),
        sizes: Float64Array.from(items, ({ size }) => size),
      }),
    (items, { contents }) => slicesOf(contents, items),
  );
  private readonly isMany: boolean;
  private readonly coming: { size: number; read: Promise<Small> }[] = [];
  private bytes = 0;
  private asked = 0;

  /** `files`: all that will be asked for, in that order. */
  constructor(private readonly files: readonly Item[]) {
    this.isMany = files.length > enough;
  }

  /** The next of the files. */
  async next(): Promise<Small> {
    this.fill();
    const first = this.coming.shift();
    this.bytes -= first?.size ?? 0;
    return first?.read ?? { error: new Error('there are no more files') };
  }

  /** Waits for what is being read. */
  async close(): Promise<void> {
    await Promise.all(this.coming.map(({ read }) => read));
    this.thread.end();
  }

  /** Many at a time, as they go to the thread together. */
  private fill(): void {
    const max = this.isMany ? maxFiles.many : maxFiles.alone;
    if (this.isMany && (this.coming.length > max / 2 || this.bytes > maxBytes / 2)) {
      return;
    }
    while (this.coming.length < max && this.bytes < maxBytes) {
      const file = this.files[this.asked];
      if (file === undefined) {
        return;
      }
      this.asked += 1;
      this.bytes += file.size;
      this.coming.push({ size: file.size, read: this.read(file) });
    }
  }

  private async read(file: Item): Promise<Small> {
    try {
      return { content: await (this.isMany ? this.batches.add(file) : readOne(file)) };
    } catch (error) {
      return { error };
    }
  }
}

async function readOne({ source, size }: Item): Promise<Buffer> {
  const content = Buffer.allocUnsafe(size);
  const file = await openFile(localPath(source), readFlags);
  try {
    const { bytesRead } = await readFile(file, content, 0, size, 0);
    if (bytesRead !== size) {
      throw new Error('it changed while it was read');
    }
    return content;
  } finally {
    await closeFile(file);
  }
}

function slicesOf(contents: Uint8Array, items: readonly Item[]): Buffer[] {
  let end = 0;
  return items.map(({ size }) => {
    const start = end;
    end += size;
    return Buffer.from(contents.buffer, contents.byteOffset + start, size);
  });
}
