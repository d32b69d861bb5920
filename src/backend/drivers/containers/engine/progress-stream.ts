/** Lines of JSON that the engine sends while it pulls, imports or builds. */
import type { Readable } from 'node:stream';
import { BerthError } from '../../../../api/errors';
import { linesOf } from './streams';

export interface ProgressLine {
  id?: string;
  status?: string;
  /** Output of a build. */
  stream?: string;
  error?: string;
  errorDetail?: { message?: string };
  progressDetail?: { current?: number; total?: number };
  aux?: unknown;
}

/**
 * Hands on every line until the stream ends. Errors come as lines too, inside an answer of 200: they are thrown.
 * Aborting closes the connection, which makes the engine stop.
 */
export async function followProgress(
  stream: Readable,
  signal: AbortSignal,
  report: (line: ProgressLine) => void,
): Promise<void> {
  const close = (): void => void stream.destroy();
  signal.addEventListener('abort', close, { once: true });
  if (signal.aborted) {
    close();
  }
  try {
    for await (const text of linesOf(stream)) {
      const line = parseLine(text);
      if (line?.error !== undefined) {
        throw new Error(line.errorDetail?.message ?? line.error);
      }
      if (line !== undefined) {
        report(line);
      }
    }
  } catch (error) {
    if (!signal.aborted) {
      throw error;
    }
  } finally {
    signal.removeEventListener('abort', close);
    stream.destroy();
  }
  if (signal.aborted) {
    throw new BerthError('cancelled', 'Cancelled.');
  }
}

function parseLine(text: string): ProgressLine | undefined {
  if (text.trim() === '') {
    return undefined;
  }
  try {
    return JSON.parse(text) as ProgressLine;
  } catch {
    return { stream: text };
  }
}
