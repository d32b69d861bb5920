/** Blocks of an image: metadata through a cache and in transactions, content directly. */
import type { CommitLog } from './commit-log';
import { ContentBuffer } from './content-buffer';
import { damaged, DiskError } from './disk-error';

const cachedBytes = 24 * 1024 * 1024;

export class BlockDevice {
  private readonly cache = new Map<number, Buffer>();
  private readonly changed = new Map<number, Buffer>();
  /** What is still to be done to changed blocks before they are committed. */
  private readonly unfinished = new Map<number, (content: Buffer) => void>();
  private readonly content: ContentBuffer;
  /** `losses` as they were when this transaction began. */
  private knownLosses = 0;

  constructor(
    file: number,
    readonly blockSize: number,
    readonly blocks: number,
    /** Undefined: nothing may be written. */
    private readonly log: CommitLog | undefined,
  ) {
    this.content = new ContentBuffer(file);
  }

  get isWritable(): boolean {
    return this.log !== undefined;
  }

  get hasChanges(): boolean {
    return this.changed.size > 0;
  }

  /** How many blocks wait for the next commit. */
  get changes(): number {
    return this.changed.size;
  }

  /** How often content that was taken could not be written: what was under way then is not all there. */
  get losses(): number {
    return this.content.losses;
  }

  /** A block as it is in this transaction. Not to be changed. */
  read(block: number): Buffer {
    const known = this.changed.get(block) ?? this.cache.get(block);
    if (known !== undefined) {
      return known;
    }
    this.check(block, 1);
    const content = Buffer.allocUnsafeSlow(this.blockSize);
    this.readContent(block, 0, content);
    this.remember(block, content);
    return content;
  }

  /** A block, to be changed. */
  edit(block: number): Buffer {
    const known = this.changed.get(block);
    if (known !== undefined) {
      return known;
    }
    const copy = Buffer.from(this.read(block));
    this.put(block, copy);
    return copy;
  }

  /** Has something done to a block that was changed once, however often it still changes: before it is committed. */
  finishLater(block: number, finish: (content: Buffer) => void): void {
    this.unfinished.set(block, finish);
  }

  /** Does at once what was to be done later to a block. */
  finish(block: number): void {
    const finish = this.unfinished.get(block);
    if (finish !== undefined) {
      this.unfinished.delete(block);
      finish(this.edit(block));
    }
  }

  /** A block of zeros in place of what was there. */
  fresh(block: number): Buffer {
    this.check(block, 1);
    this.unfinished.delete(block);
    const zeros = Buffer.alloc(this.blockSize);
    this.put(block, zeros);
    return zeros;
  }

  /** A block that is no longer metadata. */
  forget(block: number): void {
    this.changed.delete(block);
    this.unfinished.delete(block);
    this.cache.delete(block);
  }

  /** Content, past the cache: `into` is filled from a place in a block on. */
  readContent(block: number, offset: number, into: Buffer): void {
    this.check(block, Math.ceil((offset + into.length) / this.blockSize));
    const position = block * this.blockSize + offset;
    this.content.read(into, position);
  }

  /** The bytes are copied or written; they are all in the image before the next commit is. */
  writeContent(block: number, offset: number, bytes: Uint8Array): void {
    this.writable();
    const count = Math.ceil((offset + bytes.length) / this.blockSize);
    this.check(block, count);
    for (let each = block; this.cache.size > 0 && each < block + count; each++) {
      this.cache.delete(each);
    }
    this.content.write(bytes, block * this.blockSize + offset);
  }

  /** Makes the changes last, all at once. Throws `no_space` where content that they may refer to was lost meanwhile. */
  commit(): void {
    if (this.changed.size === 0) {
      return;
    }
    const log = this.writable();
    for (const block of [...this.unfinished.keys()]) {
      this.finish(block);
    }
    this.content.flush();
    if (this.losses !== this.knownLosses) {
      throw new DiskError('no_space', 'the disk of this machine took not all of it');
    }
    this.content.forgetRead();
    log.commit(this.blockSize, this.changed);
    for (const [block, content] of this.changed) {
      this.remember(block, content);
    }
    this.changed.clear();
  }

  rollback(): void {
    this.changed.clear();
    this.unfinished.clear();
  }

  close(): void {
    this.log?.close();
  }

  private writable(): CommitLog {
    if (this.log === undefined) {
      throw new DiskError('read_only');
    }
    return this.log;
  }

  private put(block: number, content: Buffer): void {
    this.writable();
    if (this.changed.size === 0) {
      this.knownLosses = this.losses;
    }
    this.changed.set(block, content);
  }

  private remember(block: number, content: Buffer): void {
    this.cache.delete(block);
    this.cache.set(block, content);
    if (this.cache.size * this.blockSize > cachedBytes) {
      const [oldest] = this.cache.keys();
      if (oldest !== undefined) {
        this.cache.delete(oldest);
      }
    }
  }

  private check(block: number, count: number): void {
    if (!Number.isInteger(block) || block < 0 || block + count > this.blocks) {
      throw damaged(`block ${block} is not on the disk`);
    }
  }
}
