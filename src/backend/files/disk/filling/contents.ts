/** Contents of files on their way into an image: one after the other in one file, whose name is ours. */
import { open, type FileHandle } from 'node:fs/promises';
import { BerthError } from '../../../../api/errors';
import type { Piece } from './steps';
import type { ContentSink } from '../../../tar/visitor';

/** Gathered before it is written. */
const atOnce = 1024 * 1024;

/** Of a file that comes in pieces: `pieces` is complete when its sink has ended. */
export interface Streamed {
  pieces: readonly Piece[];
  sink: ContentSink;
}

export class Contents {
  /** Where the next content goes. */
  private end = 0;
  private waiting: Buffer[] = [];
  private waitingBytes = 0;

  private constructor(
    private readonly file: FileHandle,
    /** Of all of them together. */
    private readonly maxBytes: number,
  ) {}

  static async create(path: string, maxBytes = Infinity): Promise<Contents> {
    return new Contents(await open(path, 'wx', 0o600), maxBytes);
  }

  /** Where a content that is there as a whole will be; the buffer is ours from now on. */
  keep(content: Buffer): Piece[] {
    const piece = { at: 0, from: this.end, length: content.length };
    this.add(content);
    return [piece];
  }

  /** To be waited for before more is kept; undefined while there is room. */
  room(): Promise<void> | undefined {
    return this.waitingBytes < atOnce ? undefined : this.write();
  }

  /** The same for a content of so many bytes that comes in pieces, with holes in between. */
  stream(bytes: number): Streamed {
    this.refuseBeyond(this.end + bytes);
    const pieces: Piece[] = [];
    let at = 0;
    const sink: ContentSink = {
      piece: (bytes) => {
        const last = pieces.at(-1);
        if (last !== undefined && last.at + last.length === at) {
          last.length += bytes.length;
        } else {
          pieces.push({ at, from: this.end, length: bytes.length });
        }
        at += bytes.length;
        this.add(Buffer.from(bytes));
        return this.room();
      },
      hole: (length) => {
        at += length;
        return undefined;
      },
      end: () => undefined,
    };
    return { pieces, sink };
  }

  /** Resolves when all is in the file. */
  async settled(): Promise<void> {
    await this.write();
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  private add(content: Buffer): void {
    this.end += content.length;
    this.refuseBeyond(this.end);
    this.waiting.push(content);
    this.waitingBytes += content.length;
  }

  private refuseBeyond(bytes: number): void {
    if (bytes > this.maxBytes) {
      throw new BerthError(
        'no_space',
        `The files are more than ${Math.floor(this.maxBytes / 1024 ** 2)} MiB.`,
        {
          hint: 'They do not fit into a disk of that size.',
        },
      );
    }
  }

  private async write(): Promise<void> {
    const bytes = this.waiting.length === 1 ? this.waiting[0] : Buffer.concat(this.waiting);
    this.waiting = [];
    this.waitingBytes = 0;
    for (let done = 0; bytes !== undefined && done < bytes.length;) {
      const { bytesWritten } = await this.file.write(bytes, done);
      done += bytesWritten;
    }
  }
}
