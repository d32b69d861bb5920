/** The client library promises streams of an older kind only; in fact they are Node's. */
import { Duplex, Readable } from 'node:stream';

export function toReadable(stream: NodeJS.ReadableStream): Readable {
  return stream instanceof Readable ? stream : new Readable().wrap(stream);
}

export function toDuplex(stream: NodeJS.ReadWriteStream): Duplex {
  if (!(stream instanceof Duplex)) {
    throw new TypeError('The engine answered with half a connection.');
  }
  return stream;
}
