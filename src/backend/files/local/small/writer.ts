/** Writes the small files of a tar to this machine: a few by themselves, many by a thread of their own. */
import type { TarEntry } from '../../../tar/header';
import { modeOf, writeWhole } from '../file';
import { Batches } from './batches';
import { enough, smallSize, SmallFilesThread } from './thread';

/** Of contents that are in memory until they are written. */
const maxBytes = 4 * 1024 * 1024;
const maxFiles = 1024;
/** Of files that are open at once: each that has no thread. */
const maxOpen = 24;

interface Item {
  path: string;
  size: number;
  mode: number;
  mtimeMs: number;
  content: Buffer;
}

export class SmallWriter {
  private readonly thread = new SmallFilesThread();
  private readonly batches = new Batches<Item, undefined>(
    (items) => this.run(items),
    () => [],
  );
  private count = 0;
  private readonly underWay = { bytes: 0, files: 0, open: 0 };

  /** No more should be asked for until some of it is done. */
  get isFull(): boolean {
    const { bytes, files, open } = this.underWay;
    return bytes >= maxBytes || files >= maxFiles || open >= maxOpen;
  }

  /** Fails with the errors of the system, `EEXIST` for a second file of the name. */
  async write(path: string, entry: TarEntry, content: Buffer): Promise<void> {
    const { underWay } = this;
    const { length: size } = content;
    const isAlone = ++this.count <= enough || size > smallSize;
    underWay.bytes += size;
    underWay.files += 1;
    underWay.open += isAlone ? 1 : 0;
    try {
      const { mtimeMs } = entry;
      await (isAlone
        ? writeWhole(path, entry, content)
        : this.batches.add({ path, size, mode: modeOf(entry), mtimeMs, content }));
    } finally {
      underWay.bytes -= size;
      underWay.files -= 1;
      underWay.open -= isAlone ? 1 : 0;
    }
  }

  /** Only when nothing is under way any more. */
  close(): void {
    this.thread.end();
  }

  private run(items: readonly Item[]): ReturnType<SmallFilesThread['run']> {
    const contents = Buffer.allocUnsafeSlow(items.reduce((sum, { size }) => sum + size, 0));
    let at = 0;
    for (const { content } of items) {
      at += content.copy(contents, at);
    }
    const job = {
      write: items.map(({ path }) => path),
      sizes: Float64Array.from(items, ({ size }) => size),
      modes: Float64Array.from(items, ({ mode }) => mode),
      times: Float64Array.from(items, ({ mtimeMs }) => mtimeMs),
      contents,
    };
    return this.thread.run(job, [contents.buffer]);
  }
}
