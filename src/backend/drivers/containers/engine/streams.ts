/** The client library promises streams of an older kind only; in fact they are Node's. */
import { Duplex, finished, PassThrough, Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** The same stream, as Node's own kind. */
export function toReadable(stream: NodeJS.ReadableStream): Readable {
  return stream instanceof Readable ? stream : new Readable().wrap(stream);
}

/** The same stream, as Node's own kind. Throws for one that has but one direction. */
export function toDuplex(stream: NodeJS.ReadWriteStream): Duplex {
  if (!(stream instanceof Duplex)) {
    throw new TypeError('The engine answered with half a connection.');
  }
  return stream;
}

/** The same bytes; what the stream fails with is said in the words of `explain`. */
export function withErrorsOf(stream: Readable, explain: (error: unknown) => Error): Readable {
  const passed = new PassThrough();
  finished(stream, (error) => {
    if (error) {
      passed.destroy(explain(error));
    }
  });
  finished(passed, () => stream.destroy());
  return stream.pipe(passed);
}

/** Lines without their ends. Unlike readline it also ends, with an error, when the stream is cut off or destroyed. */
export async function* linesOf(stream: Readable): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const parts = (rest + decoder.write(chunk as Buffer)).split(/\r?\n/);
    rest = parts.pop() ?? '';
    yield* parts;
  }
  rest += decoder.end();
  if (rest !== '') {
    yield rest;
  }
}
