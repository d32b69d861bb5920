/** The console of a machine, as QEMU writes it to a file: the last lines, and what comes then. */
import { watch } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { isErrno } from '../../../machine/files';
import type { LogOptions } from '../../driver';

const chunkBytes = 64 * 1024;
/** Nothing tells of a lost notice, e.g. on a network disk: looked at this often besides. */
const lookMs = 1_000;

/** Text with plain line ends. Aborting ends it like an end of file, and so does the end of the machine. */
export function readLogs(path: string, options: LogOptions, ended: Promise<void>): Readable {
  const done = new AbortController();
  const end = (): void => done.abort();
  options.signal.addEventListener('abort', end, { once: true });
  if (options.signal.aborted) {
    end();
  }
  if (options.follow) {
    void ended.then(end);
  } else {
    end();
  }
  const stream = Readable.from(read(path, options.tail, done.signal), { objectMode: false });
  stream.once('close', () => {
    options.signal.removeEventListener('abort', end);
    end();
  });
  return stream;
}

/** What is there when it is ended is still read. */
async function* read(path: string, tail: number, ended: AbortSignal): AsyncGenerator<Buffer> {
  const file = await openIfPresent(path);
  if (file === undefined) {
    return;
  }
  try {
    let offset = await offsetOfTail(file, tail);
    for (;;) {
      const isLast = ended.aborted;
      // It was shortened: what is there now is new.
      offset = (await file.stat()).size < offset ? 0 : offset;
      for (let chunk = await readAt(file, offset); chunk.length > 0; chunk = await readAt(file, offset)) {
        offset += chunk.length;
        yield withoutReturns(chunk);
      }
      if (isLast) {
        return;
      }
      await waitForChange(path, ended);
    }
  } finally {
    await file.close();
  }
}

async function openIfPresent(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) {
      return undefined;
    }
    throw error;
  }
}

async function readAt(file: FileHandle, offset: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(chunkBytes), 0, chunkBytes, offset);
  return buffer.subarray(0, bytesRead);
}

function withoutReturns(chunk: Buffer): Buffer {
  return Buffer.from(chunk.toString('latin1').replaceAll('\r', ''), 'latin1');
}

/** Where the last lines begin. */
async function offsetOfTail(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat();
  let missing = lines;
  let from = size;
  while (from > 0 && missing >= 0) {
    const start = Math.max(0, from - chunkBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(from - start), 0, from - start, start);
    // A line break at the very end ends a line and begins none.
    const last = from === size && buffer[bytesRead - 1] === 10 ? bytesRead - 1 : bytesRead;
    for (let at = last - 1; at >= 0; at -= 1) {
      if (buffer[at] === 10) {
        missing -= 1;
        if (missing === 0) {
          return start + at + 1;
        }
      }
    }
    from = start;
  }
  return lines === 0 ? size : 0;
}

function waitForChange(path: string, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(path);
    const settle = (): void => {
      clearTimeout(timer);
      ended.removeEventListener('abort', settle);
      watcher.close();
      resolve();
    };
    const timer = setTimeout(settle, lookMs);
    watcher.once('change', settle).once('error', settle);
    ended.addEventListener('abort', settle, { once: true });
    if (ended.aborted) {
      settle();
    }
  });
}
