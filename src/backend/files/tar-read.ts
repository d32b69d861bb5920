/** Reads a tar as it arrives. Small contents are handed over whole, large ones in pieces. */
import { applyPax, blockSize, decodeHeader, paddingOf, type RawHeader, type TarEntry } from './tar-header';
import { decodeName } from './names';

/** Up to that a content is gathered. */
export const wholeSize = 1024 * 1024;
/** No extended header is that large: a damaged tar must not fill the memory. */
const maxExtended = 1024 * 1024;

export interface TarVisitor {
  /** A complete entry; `content` is empty but for files. */
  entry(entry: TarEntry, content: Buffer): Promise<void> | void;
  /** A file that is larger than `wholeSize`; pieces that are not taken are passed over. */
  large(entry: TarEntry, pieces: AsyncIterable<Buffer>): Promise<void>;
}

/** Bytes on demand from a stream of chunks. */
class Bytes {
  private chunk: Buffer = Buffer.alloc(0);

  constructor(private readonly source: AsyncIterator<Buffer>) {}

  /** At most `length` bytes, at least one; undefined at the end. */
  async some(length: number): Promise<Buffer | undefined> {
    while (this.chunk.length === 0) {
      const next = await this.source.next();
      if (next.done === true) {
        return undefined;
      }
      this.chunk = next.value;
    }
    const taken = this.chunk.subarray(0, length);
    this.chunk = this.chunk.subarray(taken.length);
    return taken;
  }

  /** Without waiting, when they are there already. */
  ready(length: number): Buffer | undefined {
    if (this.chunk.length < length) {
      return undefined;
    }
    const taken = this.chunk.subarray(0, length);
    this.chunk = this.chunk.subarray(length);
    return taken;
  }

  async exactly(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let missing = length; missing > 0;) {
      const part = await this.some(missing);
      if (part === undefined) {
        throw new Error('the tar ended too early');
      }
      parts.push(part);
      missing -= part.length;
    }
    const [only] = parts;
    return only !== undefined && parts.length === 1 ? only : Buffer.concat(parts, length);
  }

  /** The next `length` bytes piece by piece. Who stops taking them can go on where they stopped. */
  pieces(length: number): AsyncIterable<Buffer> {
    let missing = length;
    const next = async (): Promise<IteratorResult<Buffer>> => {
      if (missing === 0) {
        return { done: true, value: undefined };
      }
      const part = await this.some(missing);
      if (part === undefined) {
        throw new Error('the tar ended too early');
      }
      missing -= part.length;
      return { done: false, value: part };
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }
}

/** Visits every entry in its order; resolves at the end of the archive. */
export async function readTar(source: AsyncIterable<Buffer>, visitor: TarVisitor): Promise<void> {
  const bytes = new Bytes(source[Symbol.asyncIterator]());
  for (;;) {
    const header = await nextHeader(bytes);
    if (header === undefined) {
      break;
    }
    await visit(header, bytes, visitor);
  }
  // What follows the end is padding: taken, so that the sender is not cut off.
  while ((await bytes.some(wholeSize)) !== undefined);
}

async function visit(header: RawHeader, bytes: Bytes, visitor: TarVisitor): Promise<void> {
  const size = header.type === 'file' || header.type === 'other' ? header.size : 0;
  if (size > wholeSize) {
    const pieces = bytes.pieces(size);
    await visitor.large(header, pieces);
    const rest = pieces[Symbol.asyncIterator]();
    while ((await rest.next()).done !== true);
  } else {
    const content = bytes.ready(size) ?? (await bytes.exactly(size));
    await visitor.entry(header, content);
  }
  const padding = paddingOf(size);
  if (padding > 0 && bytes.ready(padding) === undefined) {
    await bytes.exactly(padding);
  }
}

/** The next real header, with what the extended ones before it say. */
async function nextHeader(bytes: Bytes): Promise<RawHeader | undefined> {
  let pax: Buffer | undefined;
  let longName: string | undefined;
  let longLink: string | undefined;
  for (;;) {
    const header = decodeHeader(bytes.ready(blockSize) ?? (await bytes.exactly(blockSize)));
    if (header === undefined) {
      return undefined;
    }
    if (!'xgLK'.includes(header.flag) || header.flag === '') {
      header.name = longName ?? header.name;
      header.linkName = longLink ?? header.linkName;
      if (pax !== undefined) {
        applyPax(header, pax);
      }
      return header;
    }
    const content = await extended(header, bytes);
    if (header.flag === 'x') {
      pax = content;
    } else if (header.flag === 'L') {
      longName = decodeName(untilNul(content));
    } else if (header.flag === 'K') {
      longLink = decodeName(untilNul(content));
    }
  }
}

async function extended(header: RawHeader, bytes: Bytes): Promise<Buffer> {
  if (header.size > maxExtended) {
    throw new Error('the tar is damaged: an extended header is too large');
  }
  const content = await bytes.exactly(header.size);
  await bytes.exactly(paddingOf(header.size));
  return content;
}

function untilNul(content: Buffer): Buffer {
  const end = content.indexOf(0);
  return end < 0 ? content : content.subarray(0, end);
}
