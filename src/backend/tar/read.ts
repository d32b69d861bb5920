/**
 * Reads a tar as it arrives. Pushed, not pulled: a gigabyte comes in fifty thousand chunks, and a promise for each would
 * cost more than all the rest. Small contents are handed over whole, large ones in pieces.
 */
import { Slab } from './slab';
import { SparseSink } from './sparse-sink';
import type { Answer, PieceSink, TarVisitor } from './visitor';
import {
  applyPax,
  blockSize,
  boundedName,
  decodeHeader,
  numberAt,
  paddingOf,
  type RawHeader,
} from './header';
import { checkParts, GnuMap, TextMap, type BlockMap, type SparsePart } from './sparse';

/** Up to that a content is gathered. */
export const wholeSize = 1024 * 1024;
/** No extended header is that large: a damaged tar must not fill the memory. */
const maxExtended = 8 * 1024 * 1024;

/** The map of a sparse file that is being read. */
interface Mapping {
  header: RawHeader;
  map: BlockMap;
  /** Of the file, holes included. */
  size: number;
  /** Bytes of the content that the map may be a part of. */
  left: number;
}

const oldSparse = 'S';
const extendedFlags = new Set(['x', 'g', 'L', 'K']);

export class TarReader {
  /** True after the block of zeros that ends an archive. */
  ended = false;
  /** What is gathered: a copy, since chunks belong to the sender. */
  private readonly block = Buffer.alloc(blockSize);
  private whole: Buffer = this.block;
  private readonly slab = new Slab();
  private gathered = 0;
  /** Bytes to gather: of a header first, then of a content. */
  private wanted = blockSize;
  private header: RawHeader | undefined;
  private mapping: Mapping | undefined;
  private sink: PieceSink | undefined;
  /** Bytes of a large content that are still to come. */
  private left = 0;
  private padding = 0;
  private pax: Buffer | undefined;
  private longName: string | undefined;
  private longLink: string | undefined;

  /**
   * `lendsContent`: what an entry is given may be a part of the chunk, of no more use once its answer is there. That saves a
   * copy of all small files.
   */
  constructor(
    private readonly visitor: TarVisitor,
    private readonly options: { lendsContent?: boolean } = {},
  ) {}

  /** Nothing is half read: an archive may well end here, though one that is whole says so. */
  get isBetween(): boolean {
    const isHeld = this.pax !== undefined || this.longName !== undefined || this.longLink !== undefined;
    const isInside = this.header !== undefined || this.mapping !== undefined;
    return this.gathered === 0 && this.left === 0 && !isInside && !isHeld;
  }

  /** Takes a chunk; when a promise is answered, the next one must wait for it. */
  push(chunk: Buffer): Answer {
    let rest = chunk;
    while (rest.length > 0 && !this.ended) {
      const [taken, answer] = this.step(rest);
      rest = rest.subarray(taken);
      if (answer !== undefined) {
        const later = rest;
        return answer.then(() => this.push(later));
      }
    }
    return undefined;
  }

  private step(chunk: Buffer): [taken: number, answer: Answer] {
    if (this.padding > 0) {
      const taken = Math.min(this.padding, chunk.length);
      this.padding -= taken;
      return [taken, undefined];
    }
    return this.left > 0 ? this.stream(chunk) : this.gather(chunk);
  }

  private stream(chunk: Buffer): [number, Answer] {
    const piece = chunk.subarray(0, this.left);
    this.left -= piece.length;
    const answer = this.sink?.piece(piece);
    if (this.left > 0) {
      return [piece.length, answer];
    }
    const { sink } = this;
    this.sink = undefined;
    return [piece.length, answer === undefined ? sink?.end() : answer.then(() => sink?.end())];
  }

  private gather(chunk: Buffer): [number, Answer] {
    if (this.isLent && this.gathered === 0 && chunk.length >= this.wanted) {
      return [this.wanted, this.use(chunk.subarray(0, this.wanted))];
    }
    if (this.gathered === 0) {
      this.whole = this.header === undefined ? this.block : this.slab.take(this.wanted);
    }
    const taken = chunk.copy(this.whole, this.gathered, 0, this.wanted - this.gathered);
    this.gathered += taken;
    if (this.gathered < this.wanted) {
      return [taken, undefined];
    }
    this.gathered = 0;
    return [taken, this.use(this.whole)];
  }

  /** What of it is kept for later is always gathered: maps of sparse files, and extended headers. */
  private get isLent(): boolean {
    const { header } = this;
    const isKept = this.mapping !== undefined || (header !== undefined && extendedFlags.has(header.flag));
    return this.options.lendsContent === true && !isKept;
  }

  private use(bytes: Buffer): Answer {
    if (this.mapping !== undefined) {
      return this.goOn(this.mapping, bytes);
    }
    return this.header === undefined ? this.begin(bytes) : this.finish(this.header, bytes);
  }

  private begin(block: Buffer): Answer {
    const header = decodeHeader(block);
    if (header === undefined) {
      this.ended = true;
      return undefined;
    }
    const isExtended = extendedFlags.has(header.flag);
    if (!isExtended) {
      this.extend(header);
    }
    if (header.flag === oldSparse || header.sparseRecords !== undefined) {
      return named(header, () => this.beginSparse(header, block));
    }
    const size = isExtended || header.type === 'file' || header.type === 'other' ? header.size : 0;
    if (isExtended && size > maxExtended) {
      throw new Error('the tar is damaged: an extended header is too large');
    }
    if (size === 0) {
      return this.finish(header, Buffer.alloc(0));
    }
    if (!isExtended && size > wholeSize) {
      return this.beginLarge(this.visitor.large(header), size);
    }
    this.header = header;
    this.wanted = size;
    return undefined;
  }

  private beginLarge(sink: PieceSink | undefined, size: number): Answer {
    this.left = size;
    this.padding = 0;
    this.sink = this.padded(sink, paddingOf(size));
    return undefined;
  }

  private beginSparse(header: RawHeader, block: Buffer): Answer {
    if (header.flag === oldSparse) {
      const map = new GnuMap(block, numberAt);
      return map.isComplete
        ? this.openSparse(header, map.parts, map.size, header.size)
        : this.awaitMap({ header, map, size: map.size, left: Infinity });
    }
    const records = header.sparseRecords;
    if (records === undefined || header.type !== 'file') {
      throw new Error('it is no file');
    }
    header.name = records.name ?? header.name;
    const { parts, size } = records;
    return parts === undefined
      ? this.awaitMap({ header, map: new TextMap(), size, left: header.size })
      : this.openSparse(header, parts, size, header.size);
  }

  private awaitMap(mapping: Mapping): Answer {
    this.mapping = mapping;
    this.wanted = blockSize;
    if (mapping.left < blockSize) {
      throw new Error('it has no map');
    }
    return undefined;
  }

  /** One block of a map. */
  private goOn(mapping: Mapping, block: Buffer): Answer {
    const { header, map, size } = mapping;
    return named(header, () => {
      mapping.left -= blockSize;
      if (!map.take(block)) {
        return this.awaitMap(mapping);
      }
      this.mapping = undefined;
      return this.openSparse(header, map.parts, size, Math.min(mapping.left, header.size));
    });
  }

  /** `bytes`: what the archive holds of the file. */
  private openSparse(header: RawHeader, parts: readonly SparsePart[], size: number, bytes: number): Answer {
    checkParts(parts, size, bytes);
    header.type = 'file';
    header.size = size;
    header.sparse = parts;
    const inner = this.visitor.large(header);
    const sink = inner && new SparseSink(inner, parts, size);
    return bytes > 0 ? this.beginLarge(sink, bytes) : sink?.end();
  }

  /** Padding follows the content, so it begins when the content ends. */
  private padded(sink: PieceSink | undefined, padding: number): PieceSink {
    return {
      piece: (bytes) => sink?.piece(bytes),
      end: () => {
        this.padding = padding;
        return sink?.end();
      },
    };
  }

  private finish(header: RawHeader, content: Buffer): Answer {
    this.header = undefined;
    this.wanted = blockSize;
    this.padding = paddingOf(content.length);
    if (header.flag === 'x') {
      this.pax = content;
    } else if (header.flag === 'L') {
      this.longName = boundedName(untilNul(content));
    } else if (header.flag === 'K') {
      this.longLink = boundedName(untilNul(content));
    } else if (header.flag !== 'g') {
      return this.visitor.entry(header, content);
    }
    return undefined;
  }

  /** What the extended headers before it say. */
  private extend(header: RawHeader): void {
    header.name = this.longName ?? header.name;
    header.linkName = this.longLink ?? header.linkName;
    if (this.pax !== undefined) {
      applyPax(header, this.pax);
    }
    this.pax = this.longName = this.longLink = undefined;
  }
}

/** Says which file it is that can't be read. */
function named<T>({ name }: RawHeader, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && error.constructor === Error) {
      throw new Error(
        `the tar is damaged: the sparse file ${JSON.stringify(name)} can't be read: ${error.message}`,
        {
          cause: error,
        },
      );
    }
    throw error;
  }
}

function untilNul(content: Buffer): Buffer {
  const end = content.indexOf(0);
  return end < 0 ? content : content.subarray(0, end);
}
