/** Splits the engine's stream of a container without a terminal into standard output and standard error. */
import type { Readable } from 'node:stream';
import { PassThrough } from 'node:stream';
import { asError } from '../../../machine/as-error';

const headerLength = 8;
const stderrId = 2;

export interface Demultiplexed {
  stdout: Readable;
  stderr: Readable;
  /** Resolves when the source has ended and everything was handed on; rejects when it broke. */
  done: Promise<void>;
}

/** Looks at standard output before it is handed on. */
export interface OutputFilter {
  take(chunk: Buffer): Buffer;
  /** What is still to be written when the source has ended. */
  end(): Promise<{ stdout: Buffer; stderr: Buffer }>;
}

/**
 * Frames have a header of 8 bytes: stream id, three zeros, length (big endian): Docker API, "Stream format".
 * A reader that does not read holds the source back.
 */
export function demultiplex(source: Readable, filter?: OutputFilter): Demultiplexed {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const done = pump(source, stdout, stderr, filter);
  done.catch(() => undefined);
  return { stdout, stderr, done };
}

async function pump(
  source: Readable,
  stdout: PassThrough,
  stderr: PassThrough,
  filter?: OutputFilter,
): Promise<void> {
  try {
    let header = Buffer.alloc(0);
    let left = 0;
    let target = stdout;
    for await (const chunk of source) {
      let rest = chunk as Buffer;
      while (rest.length > 0) {
        if (left === 0) {
          const wanted = headerLength - header.length;
          header = Buffer.concat([header, rest.subarray(0, wanted)]);
          rest = rest.subarray(wanted);
          if (header.length === headerLength) {
            target = header[0] === stderrId ? stderr : stdout;
            left = header.readUInt32BE(4);
            header = Buffer.alloc(0);
          }
        } else {
          const body = rest.subarray(0, left);
          rest = rest.subarray(left);
          left -= body.length;
          await write(target, target === stdout && filter !== undefined ? filter.take(body) : body);
        }
      }
    }
    const last = await filter?.end();
    stdout.end(last?.stdout);
    stderr.end(last?.stderr);
  } catch (error) {
    const cause = asError(error);
    stdout.destroy(cause);
    stderr.destroy(cause);
    throw cause;
  }
}

/** Waits while the reader is behind; goes on when it went away. */
export function write(target: PassThrough, chunk: Buffer): Promise<void> | void {
  if (target.destroyed || target.write(chunk)) {
    return;
  }
  return new Promise((resolve) => {
    const proceed = (): void => {
      target.off('drain', proceed);
      target.off('close', proceed);
      resolve();
    };
    target.on('drain', proceed);
    target.on('close', proceed);
  });
}
