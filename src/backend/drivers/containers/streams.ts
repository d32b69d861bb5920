import { Readable } from 'node:stream';

/** The client library promises streams of an older kind only; in fact they are Node's. */
export function toReadable(stream: NodeJS.ReadableStream): Readable {
  return stream instanceof Readable ? stream : new Readable().wrap(stream);
}
