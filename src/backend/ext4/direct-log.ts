/** Changed blocks go straight into the image: for one that is a draft, and thrown away when it is not finished. */
import { fsyncSync } from 'node:fs';
import type { CommitLog } from './commit-log';
import { writeFully } from './redo-log';

const maxWriteBytes = 1024 * 1024;

export class DirectLog implements CommitLog {
  constructor(private readonly image: number) {}

  commit(blockSize: number, blocks: ReadonlyMap<number, Buffer>): void {
    const inOrder = [...blocks].sort(([a], [b]) => a - b);
    for (let at = 0; at < inOrder.length;) {
      const [first = 0] = inOrder[at] ?? [];
      const run: Buffer[] = [];
      for (; inOrder[at]?.[0] === first + run.length && run.length * blockSize < maxWriteBytes; at++) {
        run.push(inOrder[at]?.[1] ?? Buffer.alloc(0));
      }
      writeFully(this.image, Buffer.concat(run), first * blockSize);
    }
  }

  /** All that was written lasts. */
  close(): void {
    fsyncSync(this.image);
  }
}
