/** Gathers small contents that lie one after the other in the image, so that ten thousand files are not as many writes. */
import { writeFully } from './redo-log';

const gatheredBytes = 1024 * 1024;
/** What is larger goes into the image by itself. */
const smallBytes = 64 * 1024;

export class ContentBuffer {
  /** Grows when what was taken could not be written. */
  losses = 0;
  private buffer: Buffer | undefined;
  private start = 0;
  private used = 0;

  constructor(private readonly file: number) {}

  /** `position` is in bytes from the file's start. Throws the error of the system, also for what was taken before. */
  write(bytes: Uint8Array, position: number): void {
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

  /** Before a part of the file is read. */
  settle(position: number, length: number): void {
    if (position < this.start + this.used && this.start < position + length) {
      this.flush();
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
