/** How changed blocks get into the image. */
export interface CommitLog {
  /** Makes blocks last, with all content written before. */
  commit(blockSize: number, blocks: ReadonlyMap<number, Buffer>): void;
  close(): void;
}
