/**
 * Tars in motion, without a new buffer for each piece: for every gigabyte that is allocated, the garbage collector
 * would walk the heap some fifty times, and be the slowest part of a large transfer.
 */
import { Readable, type Writable } from 'node:stream';
import { asError } from '../machine/as-error';

/** Takes a chunk, which is the caller's again when the answer, if there is one, has settled. */
export type TakeChunk = (chunk: Buffer) => Promise<void> | undefined;

/** A tar that is asked for. Each chunk is given back when it has been sent. */
export interface TarSource {
  next(): Promise<Buffer | undefined>;
  release(chunk: Buffer): void;
  /** Closes what is open; also after the last chunk. */
  close(): Promise<void>;
}

/** A few buffers that go round. */
export class BufferPool {
  private readonly free: Buffer[] = [];

  constructor(private readonly size: number) {}

  take(): Buffer {
    return this.free.pop() ?? Buffer.allocUnsafeSlow(this.size);
  }

  /** Takes back a buffer, or the beginning of one. */
  release(chunk: Buffer): void {
    if (chunk.buffer.byteLength === this.size && chunk.byteOffset === 0) {
      this.free.push(Buffer.from(chunk.buffer));
    }
  }
}

/** Puts a chunk into a stream; answers when there is room for more. */
export function push(stream: Writable, chunk: Buffer): Promise<void> | undefined {
  if (stream.destroyed || stream.write(chunk)) {
    return undefined;
  }
  return new Promise((resolve) => {
    const goOn = (): void => {
      stream.off('drain', goOn);
      stream.off('close', goOn);
      resolve();
    };
    stream.on('drain', goOn);
    stream.on('close', goOn);
  });
}

/** For whoever wants a stream: its chunks are copies. */
export function readableOf(source: TarSource): Readable {
  async function* chunks(): AsyncGenerator<Buffer> {
    try {
      for (let chunk = await source.next(); chunk !== undefined; chunk = await source.next()) {
        const copy = Buffer.from(chunk);
        source.release(chunk);
        yield copy;
      }
    } finally {
      await source.close();
    }
  }
  return Readable.from(chunks(), { objectMode: false, highWaterMark: 2 * 1024 * 1024 });
}

/** Hands a stream's chunks to `take`, one after the other; resolves when all are taken. */
export function takeAll(source: Readable, take: TakeChunk): Promise<void> {
  // What is still being done; a stream may go on although it was asked to pause (that of a child that ended does).
  let busy: Promise<void> | undefined;
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      source.destroy();
      reject(asError(error));
    };
    const wait = (answer: Promise<void>): void => {
      source.pause();
      const mine = answer.then(() => {
        if (busy === mine) {
          busy = undefined;
          source.resume();
        }
      });
      mine.catch(fail);
      busy = mine;
    };
    source.on('data', (chunk: Buffer) => {
      try {
        const answer = busy === undefined ? take(chunk) : busy.then(() => take(chunk));
        if (answer !== undefined) {
          wait(answer);
        }
      } catch (error) {
        fail(error);
      }
    });
    const end = (): void => void (busy ?? Promise.resolve()).then(resolve, fail);
    source.once('end', end);
    source.once('error', fail);
    source.once('close', end);
  });
}
