/** Content of any length through an agent's channel, with several pieces under way. */
import { Readable } from 'node:stream';
import { BerthError } from '../../../api/errors';
import type { FileEntry } from '../../../api/files/schemas';
import type { AgentChannel } from './channel';
import { numberOf, writtenOf } from './replies';
import type { WriteOptions } from '../volume-files';

/** What comes with the answer that opens a file: most files need no second question. */
export const firstChunk = 256 * 1024;
const chunk = 512 * 1024;
const inFlight = 4;
/** Writing a large file to a slow disk takes its time at the end. */
const commitTimeoutMs = 600_000;

export interface OpenedFile {
  first: Buffer;
  /** Present when `first` is not all. */
  handle: number | undefined;
  left: number;
}

async function* pieces(channel: AgentChannel, opened: OpenedFile, offset: number, signal?: AbortSignal) {
  const { handle } = opened;
  yield opened.first;
  let at = offset + opened.first.length;
  const end = at + opened.left;
  const queue: Promise<{ payload: Buffer }>[] = [];
  try {
    while (at < end || queue.length > 0) {
      while (at < end && queue.length < inFlight) {
        const length = Math.min(chunk, end - at);
        const piece = channel.request('pread', { handle, offset: at, length }, { signal });
        piece.catch(() => undefined);
        queue.push(piece);
        at += length;
      }
      const next = await queue.shift();
      if (next === undefined || next.payload.length === 0) {
        return; // the file became shorter
      }
      yield next.payload;
    }
  } finally {
    await channel.request('close', { handle }).catch(() => undefined);
  }
}

/** The bytes of an opened file; its handle is closed when the stream is, however that happens. */
export function readStream(
  channel: AgentChannel,
  opened: OpenedFile,
  offset: number,
  release: () => void,
  signal?: AbortSignal,
): Readable {
  if (opened.handle === undefined) {
    release();
    return Readable.from(opened.first.length === 0 ? [] : [opened.first], { objectMode: false });
  }
  const source = Readable.from(pieces(channel, opened, offset, signal), {
    objectMode: false,
    highWaterMark: chunk,
  });
  const { handle } = opened;
  let started = false;
  source.once('resume', () => (started = true));
  source.once('readable', () => (started = true));
  source.once('close', () => {
    release();
    if (!started) {
      channel.request('close', { handle }).catch(() => undefined);
    }
  });
  return source;
}

/** Gathers a stream's start: `rest` is undefined when that was all of it. */
export async function takeFirst(
  content: Readable,
  limit: number,
): Promise<{ first: Buffer; rest: AsyncIterator<Buffer> | undefined }> {
  const iterator: AsyncIterator<Buffer> = content[Symbol.asyncIterator]();
  const parts: Buffer[] = [];
  let length = 0;
  while (length <= limit) {
    const next = await iterator.next();
    if (next.done === true) {
      return { first: Buffer.concat(parts), rest: undefined };
    }
    const part = asBuffer(next.value);
    parts.push(part);
    length += part.length;
  }
  return { first: Buffer.concat(parts), rest: iterator };
}

function asBuffer(value: unknown): Buffer {
  if (Buffer.isBuffer(value)) {
    return value;
  }
  if (typeof value === 'string') {
    return Buffer.from(value);
  }
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  throw new BerthError('bad_request', 'The content is not made of bytes.');
}

/**
 * Writes what doesn't fit into one request; nothing is left of it when it fails. Throws `cancelled`, and what the agent
 * refuses.
 */
export async function writeStream(
  channel: AgentChannel,
  path: string,
  first: Buffer,
  rest: AsyncIterator<Buffer>,
  options: WriteOptions,
  signal?: AbortSignal,
): Promise<FileEntry> {
  const opened = await channel.request('open_write', { path, ...options }, { signal });
  const handle = numberOf(opened.ok.handle, 'a handle');
  const writing = new PieceWriter(channel, handle);
  try {
    await writing.add(first);
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
      if (signal?.aborted === true) {
        throw new BerthError('cancelled', 'Cancelled.');
      }
      await writing.add(asBuffer(next.value));
    }
    await writing.flush();
    const { ok } = await channel.request('commit', { handle }, { signal, timeoutMs: commitTimeoutMs });
    return writtenOf(ok);
  } catch (error) {
    await writing.settle();
    await channel.request('close', { handle }).catch(() => undefined);
    await rest.return?.();
    throw error;
  }
}

/** Sends pieces of a good size, a few at a time. */
class PieceWriter {
  private parts: Buffer[] = [];
  private gathered = 0;
  private offset = 0;
  private readonly queue: Promise<unknown>[] = [];

  constructor(
    private readonly channel: AgentChannel,
    private readonly handle: number,
  ) {}

  async add(part: Buffer): Promise<void> {
    this.parts.push(part);
    this.gathered += part.length;
    if (this.gathered >= chunk) {
      await this.send();
    }
  }

  async flush(): Promise<void> {
    await this.send();
    await Promise.all(this.queue);
  }

  async settle(): Promise<void> {
    await Promise.allSettled(this.queue);
  }

  private async send(): Promise<void> {
    if (this.gathered === 0) {
      return;
    }
    const payload = this.parts.length === 1 ? this.parts[0] : Buffer.concat(this.parts);
    const sent = this.channel.request('pwrite', { handle: this.handle, offset: this.offset }, { payload });
    sent.catch(() => undefined);
    this.queue.push(sent);
    this.offset += this.gathered;
    this.parts = [];
    this.gathered = 0;
    if (this.queue.length >= inFlight) {
      await this.queue.shift();
    }
  }
}
