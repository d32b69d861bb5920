/** A log in lines that are never longer than a program can keep. */
import { StringDecoder } from 'node:string_decoder';

/** Of characters; Docker cuts its lines at 16 KiB of bytes. */
export const maxLogLine = 64 * 1024;

export interface LogLine {
  line: string;
  /** It was too long, or the log ended in it: the next entry goes on where it ends. */
  continues?: true;
}

/** Without line ends, those of terminals (`\r\n`) included; what has no end for too long comes in pieces. */
export async function* logLines(chunks: AsyncIterable<Buffer | string>): AsyncGenerator<LogLine> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of chunks) {
    rest += typeof chunk === 'string' ? chunk : decoder.write(chunk);
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      yield* pieces(line.replace(/\r+$/, ''));
    }
    while (rest.length > maxLogLine) {
      const end = cutBefore(rest, maxLogLine);
      yield { line: rest.slice(0, end), continues: true };
      rest = rest.slice(end);
    }
  }
  rest = (rest + decoder.end()).replace(/\r+$/, '');
  if (rest !== '') {
    yield* pieces(rest);
  }
}

function* pieces(line: string): Generator<LogLine> {
  let at = 0;
  while (line.length - at > maxLogLine) {
    const end = cutBefore(line, at + maxLogLine);
    yield { line: line.slice(at, end), continues: true };
    at = end;
  }
  yield { line: line.slice(at) };
}

/** A place to cut at: not within a character of two halves, nor before the `\r` that ends a line. */
function cutBefore(text: string, at: number): number {
  return /[\ud800-\udbff\r]/.test(text.charAt(at - 1)) ? at - 1 : at;
}
