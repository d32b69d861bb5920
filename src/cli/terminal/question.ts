/** Questions on the terminal: written to stderr, so that stdout stays the answer of the command. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { BerthError } from '../../api';
import type { Streams } from './streams';

/** Asks and answers the line that was typed; rejects as cancelled at end of input and on Ctrl-C. */
export async function ask(
  streams: Streams,
  question: string,
  options: { signal?: AbortSignal; hidden?: boolean } = {},
): Promise<string> {
  const output = options.hidden === true ? mutedAfter(streams.stderr, question) : streams.stderr;
  const lines = createInterface({ input: streams.stdin, output, terminal: true });
  const ended = new AbortController();
  lines.once('close', () => ended.abort());
  const signals = [ended.signal, ...(options.signal === undefined ? [] : [options.signal])];
  try {
    return (await lines.question(question, { signal: AbortSignal.any(signals) })).trim();
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') {
      streams.stderr.write('\n');
      throw new BerthError('cancelled', 'Cancelled.');
    }
    throw error;
  } finally {
    lines.close();
    if (options.hidden === true) {
      streams.stderr.write('\n');
    }
  }
}

/** Asks; only y and yes are a yes. Throws `cancelled` when the input or the question ends. */
export async function confirm(streams: Streams, question: string, signal?: AbortSignal): Promise<boolean> {
  const answer = await ask(streams, `${question} [y/N] `, signal === undefined ? {} : { signal });
  return /^y(?:es)?$/i.test(answer);
}

/** Shows the question and nothing of what is typed. */
function mutedAfter(target: Writable, question: string): Writable {
  target.write(question);
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
