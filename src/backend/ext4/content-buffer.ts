/**
 * Contents on their way into an image, and out of it: small ones that lie one after the other are gathered, so that ten
 * thousand files are neither as many writes nor as many reads.
 */
import { readSync } from 'node:fs';
import { damaged } from './disk-error';
import { writeFully } from './redo-log';

const gatheredBytes = 1024 * 1024;
/** What is larger goes into the image by itself. */
const smallBytes = 64 * 1024;
const aheadBytes = 128 * 1024;
/** Between contents one after the other: the rest of a block. */
const maxGap = 4096;

export class ContentBuffer {
  /** Grows when what was taken could not be written. */
  losses = 0;
  private buffer: Buffer | undefined;
  private start = 0;
  private used = 0;
  /** What was read beyond what was asked for, from `aheadStart` on. */
  private ahead: Buffer | undefined;
  private aheadStart = 0;
  private aheadLength = 0;
  /** Where the last read ended. */
  private lastEnd = Infinity;

  constructor(private readonly file: number) {}

  /** `position` is in bytes from the file's start. Throws the error of the system, also for what was taken before. */
  write(bytes: Uint8Array, position: number): void {
    this.forgetRead();
    const isNext = position === this.start + this.used && this.used + bytes.length <= gatheredBytes;
    if (!isNext) {
      this.flush();
    }
    if (bytes.length > smallBytes) {
      this.flush();
      writeFully(this.file, bytes, position);
      return;
    }
    this.buffer ??= Buffer.allocUnsafeSlow(gatheredBytes);
    if (this.used === 0) {
      this.start = position;
    }
    this.buffer.set(bytes, this.used);
    this.used += bytes.length;
  }

  /** Fills a buffer. Throws the error of the system, and `internal` where the file ends before. */
  read(into: Buffer, position: number): void {
    if (position < this.start + this.used && this.start < position + into.length) {
      this.flush();
      // It may have been read ahead before it was there.
      this.forgetRead();
    }
    const isNext = position >= this.lastEnd && position - this.lastEnd < maxGap;
    this.lastEnd = position + into.length;
    if (!isNext || into.length > smallBytes) {
      this.readFully(into, position);
      return;
    }
    if (position < this.aheadStart || this.lastEnd > this.aheadStart + this.aheadLength) {
      this.ahead ??= Buffer.allocUnsafeSlow(aheadBytes);
      this.aheadLength = 0;
      this.aheadLength = readSync(this.file, this.ahead, 0, aheadBytes, position);
      this.aheadStart = position;
    }
    if (this.ahead === undefined || this.lastEnd > this.aheadStart + this.aheadLength) {
      this.readFully(into, position);
      return;
    }
    this.ahead.copy(into, 0, position - this.aheadStart);
  }

  /** What was read before may no longer be so. */
  forgetRead(): void {
    this.aheadLength = 0;
  }

  private readFully(into: Buffer, position: number): void {
    for (let done = 0; done < into.length;) {
      const count = readSync(this.file, into, done, into.length - done, position + done);
      if (count === 0) {
        throw damaged(`the image ends before byte ${position + into.length}`);
      }
      done += count;
    }
  }

  /** Writes what is gathered. What can't be written is lost. */
  flush(): void {
    const { buffer, used, start } = this;
    this.used = 0;
    if (buffer === undefined || used === 0) {
      return;
    }
    try {
      writeFully(this.file, buffer.subarray(0, used), start);
    } catch (error) {
      this.losses++;
      throw error;
    }
  }
}
