/** This terminal as the terminal of a process somewhere else. */
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { BerthError } from '../../api';
import type { AttachSession } from '../../client/attach';
import { isTerminal, type Streams } from './streams';

/** The size of a terminal; undefined where it has none, or does not tell (pipes of expect and script: 0 × 0). */
export function sizeOf(stream: NodeJS.WriteStream): { cols: number; rows: number } | undefined {
  const { columns: cols, rows } = stream;
  return isTerminal(stream) && cols > 0 && rows > 0 ? { cols, rows } : undefined;
}

/** Passes every key on, and every change of size; answers what puts the terminal back. */
export function rawTerminal(streams: Streams, session: AttachSession): () => void {
  const { stdin, stdout } = streams;
  const resize = (): void => {
    const size = sizeOf(stdout);
    if (size !== undefined) {
      session.resize(size.cols, size.rows);
    }
  };
  if (isTerminal(stdin)) {
    stdin.setRawMode(true);
  }
  if (isTerminal(stdout)) {
    stdout.on('resize', resize);
  }
  return () => {
    stdout.off('resize', resize);
    if (isTerminal(stdin)) {
      stdin.setRawMode(false);
    }
  };
}

/** Sends standard input, as fast as it is taken, and tells its end. */
export function pumpInput(stdin: Readable, session: AttachSession): { stop(): void } {
  const send = (chunk: Buffer): void => {
    stdin.pause();
    void session.write(chunk).then(() => stdin.resume());
  };
  const end = (): void => session.endOfInput();
  stdin.on('data', send);
  stdin.once('end', end);
  // What can't be read (a closed terminal) is at its end.
  stdin.once('error', end);
  return {
    stop: () => {
      stdin.off('data', send);
      stdin.off('end', end);
      stdin.pause();
    },
  };
}

/** Writes all of a stream to one that stays open, as fast as that takes it. */
export async function pumpOutput(
  source: AsyncIterable<Buffer | string>,
  target: Writable,
  signal: AbortSignal,
): Promise<void> {
  for await (const chunk of source) {
    // One that is broken never drains.
    if (!target.write(chunk)) {
      await once(target, 'drain', { signal }).catch((error: unknown) => {
        throw signal.aborted ? new BerthError('cancelled', 'Cancelled.') : error;
      });
    }
  }
}
