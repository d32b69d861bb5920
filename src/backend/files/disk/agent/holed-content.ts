/** Content that arrives with holes of any length, which the file system has as whole blocks only. */
import type { NewContent } from '../../../ext4/file-content';

export class HoledContent {
  /** A hole that nothing came after yet. */
  private hole = 0;

  constructor(
    readonly content: NewContent,
    private readonly blockSize: number,
  ) {}

  append(bytes: Buffer): void {
    if (bytes.length > 0) {
      this.fillHole();
      this.content.append(bytes);
    }
  }

  skip(length: number): void {
    this.hole += length;
  }

  finish(): void {
    const size = this.content.size + this.hole;
    this.content.finish();
    this.content.skipTo(size);
  }

  private fillHole(): void {
    const { content, blockSize, hole } = this;
    if (hole === 0) {
      return;
    }
    const before = Math.min(hole, (blockSize - (content.size % blockSize)) % blockSize);
    const after = (hole - before) % blockSize;
    this.hole = 0;
    content.append(Buffer.alloc(before));
    content.skipTo(content.size + hole - before - after);
    content.append(Buffer.alloc(after));
  }
}
