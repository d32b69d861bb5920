/** Copies contents from the file that they were gathered in to blocks of a new file system. */
import { closeSync, openSync, readSync } from 'node:fs';
import { DiskError } from '../../../ext4/disk-error';
import type { Allocator } from '../../../ext4/allocator';
import type { BlockDevice } from '../../../ext4/block-device';
import type { Extent } from '../../../ext4/structures/mapping';
import type { Piece } from './steps';

const bufferBytes = 1024 * 1024;
/** Logical blocks of a file are counted with 32 bits. */
const maxBlocks = 2 ** 32 - 1;

/** Blocks in a row that hold something, in blocks from the start of the file. */
interface Span {
  first: number;
  count: number;
  pieces: Piece[];
}

export class ContentCopier {
  private readonly file: number;
  private readonly buffer = Buffer.alloc(bufferBytes);

  constructor(
    contents: string,
    private readonly device: BlockDevice,
    private readonly allocator: Allocator,
    /** Called again and again while much is written. */
    private readonly alive: () => void,
  ) {
    this.file = openSync(contents, 'r');
  }

  close(): void {
    closeSync(this.file);
  }

  /**
   * Answers the extents of a file with these pieces, and how many blocks they have. Throws `too_large` for a file
   * larger than the disk can have.
   */
  copy(pieces: readonly Piece[], size: number): { extents: Extent[]; blocks: number } {
    if (size / this.device.blockSize > maxBlocks) {
      throw new DiskError('too_large', 'a file is larger than the disk can have');
    }
    const extents: Extent[] = [];
    let blocks = 0;
    for (const span of this.spans(pieces)) {
      for (let done = 0; done < span.count;) {
        const { start, count } = this.allocator.take(span.count - done);
        this.write(start, span.first + done, count, span.pieces);
        extents.push({ logical: span.first + done, physical: start, count, written: true });
        done += count;
      }
      blocks += span.count;
    }
    return { extents: joined(extents), blocks };
  }

  private spans(pieces: readonly Piece[]): Span[] {
    const { blockSize } = this.device;
    const spans: Span[] = [];
    for (const piece of pieces) {
      const first = Math.floor(piece.at / blockSize);
      const end = Math.ceil((piece.at + piece.length) / blockSize);
      const last = spans.at(-1);
      if (last !== undefined && first <= last.first + last.count) {
        last.count = Math.max(last.count, end - last.first);
        last.pieces.push(piece);
      } else if (piece.length > 0) {
        spans.push({ first, count: end - first, pieces: [piece] });
      }
    }
    return spans;
  }

  private write(start: number, logical: number, count: number, pieces: readonly Piece[]): void {
    const { blockSize } = this.device;
    const atOnce = bufferBytes / blockSize;
    for (let done = 0; done < count; done += atOnce) {
      const bytes = this.buffer.subarray(0, Math.min(atOnce, count - done) * blockSize);
      this.gather(bytes, (logical + done) * blockSize, pieces);
      this.device.writeContent(start + done, 0, bytes);
      if (done > 0) {
        this.alive();
      }
    }
  }

  /** Fills a buffer with what a file has from `offset` on. */
  private gather(into: Buffer, offset: number, pieces: readonly Piece[]): void {
    const end = offset + into.length;
    let filled = 0;
    for (let index = firstAfter(pieces, offset); index < pieces.length; index++) {
      const piece = pieces[index];
      if (piece === undefined || piece.at >= end) {
        break;
      }
      const from = Math.max(offset, piece.at);
      const to = Math.min(end, piece.at + piece.length);
      into.fill(0, filled, from - offset);
      this.read(into.subarray(from - offset, to - offset), piece.from + (from - piece.at));
      filled = to - offset;
    }
    into.fill(0, filled);
  }

  private read(into: Buffer, position: number): void {
    for (let done = 0; done < into.length;) {
      const count = readSync(this.file, into, done, into.length - done, position + done);
      if (count === 0) {
        throw new DiskError('internal', 'the contents for the disk are incomplete');
      }
      done += count;
    }
  }
}

/** The index of the first piece that reaches beyond a place; they are in order. */
function firstAfter(pieces: readonly Piece[], offset: number): number {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const piece = pieces[middle];
    if (piece !== undefined && piece.at + piece.length <= offset) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

function joined(extents: readonly Extent[]): Extent[] {
  const all: Extent[] = [];
  for (const extent of extents) {
    const last = all.at(-1);
    const isNext =
      last !== undefined &&
      last.logical + last.count === extent.logical &&
      last.physical + last.count === extent.physical;
    if (isNext) {
      last.count += extent.count;
    } else {
      all.push({ ...extent });
    }
  }
  return all;
}
