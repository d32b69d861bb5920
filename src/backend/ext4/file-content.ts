/** Reading the content of a file, and content that is to become one. */
import type { Allocator, Run } from './allocator';
import type { BlockDevice } from './block-device';
import type { Extent } from './structures/mapping';

const nothing = Buffer.alloc(0);

/** The content of a file as it was when this was made. */
export class FileReader {
  constructor(
    private readonly device: BlockDevice,
    private readonly extents: readonly Extent[],
    readonly size: number,
  ) {}

  /** Fewer bytes than asked for only at the end. */
  read(offset: number, length: number): Buffer {
    const into = Buffer.allocUnsafeSlow(Math.max(0, Math.min(this.size, offset + length) - offset));
    this.readInto(into, offset);
    return into;
  }

  /** Fills a buffer, which must not reach beyond the end. */
  readInto(into: Buffer, offset: number): void {
    const end = offset + into.length;
    let filled = offset;
    for (const extent of this.written(offset, end)) {
      const from = Math.max(offset, extent.logical * this.device.blockSize);
      const to = Math.min(end, (extent.logical + extent.count) * this.device.blockSize);
      const inside = from - extent.logical * this.device.blockSize;
      const block = extent.physical + Math.floor(inside / this.device.blockSize);
      into.fill(0, filled - offset, from - offset);
      filled = to;
      this.device.readContent(
        block,
        inside % this.device.blockSize,
        into.subarray(from - offset, to - offset),
      );
    }
    into.fill(0, filled - offset);
  }

  /** The parts of it that are more than zeros: from (a whole block) to. */
  *parts(): Generator<[from: number, to: number]> {
    for (const extent of this.extents) {
      const from = extent.logical * this.device.blockSize;
      if (extent.written && from < this.size) {
        yield [from, Math.min(this.size, from + extent.count * this.device.blockSize)];
      }
    }
  }

  private written(offset: number, end: number): readonly Extent[] {
    const { blockSize } = this.device;
    let low = 0;
    let high = this.extents.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const extent = this.extents[middle];
      if (extent !== undefined && (extent.logical + extent.count) * blockSize <= offset) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    let last = low;
    while (last < this.extents.length && (this.extents[last]?.logical ?? 0) * blockSize < end) {
      last++;
    }
    return this.extents.slice(low, last).filter((extent) => extent.written);
  }
}

/** Content that no name refers to yet. Its blocks are reserved in memory only: given up, nothing is left of it. */
export class NewContent {
  readonly runs: Run[] = [];
  readonly extents: Extent[] = [];
  size = 0;
  /** What does not fill a block yet. */
  private rest = nothing;
  private readonly losses: number;

  constructor(
    private readonly device: BlockDevice,
    private readonly allocator: Allocator,
  ) {
    this.losses = device.losses;
  }

  /** Some of it may not be in the image: the disk of this machine took no more. */
  get isLost(): boolean {
    return this.device.losses !== this.losses;
  }

  append(bytes: Buffer): void {
    const { blockSize } = this.device;
    const all = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    const whole = all.length - (all.length % blockSize);
    if (whole > 0) {
      this.put(this.logical, whole === all.length ? all : all.subarray(0, whole));
    }
    this.size += bytes.length;
    this.rest = whole === all.length ? nothing : Buffer.from(all.subarray(whole));
  }

  /** Zeros that take no room, up to a whole block. Only after whole blocks. */
  skipTo(size: number): void {
    this.size = Math.max(this.size, size);
  }

  /** Writes the last block. */
  finish(): void {
    if (this.rest.length > 0) {
      const logical = this.logical;
      const last = Buffer.alloc(this.device.blockSize);
      this.rest.copy(last);
      this.rest = nothing;
      this.put(logical, last);
    }
  }

  giveUp(): void {
    for (const run of this.runs.splice(0)) {
      this.allocator.release(run);
    }
  }

  /** Where the next whole block belongs. */
  private get logical(): number {
    return (this.size - this.rest.length) / this.device.blockSize;
  }

  private put(first: number, blocks: Buffer): void {
    const { blockSize } = this.device;
    for (let done = 0; done < blocks.length;) {
      const run = this.allocator.reserve((blocks.length - done) / blockSize);
      this.runs.push(run);
      const bytes = run.count * blockSize;
      this.device.writeContent(run.start, 0, blocks.subarray(done, done + bytes));
      this.extend({
        logical: first + done / blockSize,
        physical: run.start,
        count: run.count,
        written: true,
      });
      done += bytes;
    }
  }

  private extend(extent: Extent): void {
    const last = this.extents.at(-1);
    const isNext =
      last !== undefined &&
      last.logical + last.count === extent.logical &&
      last.physical + last.count === extent.physical;
    if (isNext) {
      last.count += extent.count;
    } else {
      this.extents.push(extent);
    }
  }
}
