/**
 * Reads a workspace file as it arrives. It knows which member must come next, so none can lead anywhere: another name, a
 * link, a member too many or too few is an error that names it. Nothing is unpacked here.
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { blockSize, decodeHeader, paddingOf } from '../../../tar/header';
import { headerOf, pieceBytes, pieceName, sumsName } from './bundle-writer';
import { damaged } from './damaged';
import { manifestName, maxManifestBytes, parseManifest, type Manifest } from './manifest';

/** Of one that can't be packed. */
const maxPieceBytes = pieceBytes + 64 * 1024;
const shownName = 200;
const unpack = promisify(gunzip);

interface Header {
  name: string;
  size: number;
}

export class BundleReader {
  private readonly bytes: ByteReader;
  private readonly sums: string[] = [];
  private next: Header | undefined;

  constructor(source: AsyncIterable<Buffer>) {
    this.bytes = new ByteReader(source);
  }

  /** The first member. Throws `bad_request`, and `not_supported` for the file of a later version. */
  async manifest(): Promise<Manifest> {
    const header = await this.peek('the beginning of the file').catch((error: unknown) => {
      throw damaged('the beginning of the file', 'it is no workspace file', error);
    });
    if (header.name !== manifestName) {
      throw damaged(header.name, `a workspace file begins with ${manifestName}`);
    }
    return parseManifest(await this.member(header, maxManifestBytes));
  }

  /**
   * What was written of that name, a piece at a time. `count` gets their bytes. Throws `bad_request` for a piece that
   * is not in its place, or damaged.
   */
  async *content(name: string, count: (bytes: number) => void = () => undefined): AsyncGenerator<Buffer> {
    let isFull = true;
    for (let number = 0; ; number += 1) {
      const wanted = pieceName(name, number);
      const header = await this.peek(wanted);
      if (header.name !== wanted) {
        if (number === 0) {
          throw damaged(header.name, `${wanted} must be in its place`);
        }
        return;
      }
      // Else many members had little in them, and each is remembered until the end.
      if (!isFull) {
        throw damaged(wanted, 'the piece before it is not full');
      }
      const piece = await unpacked(wanted, await this.member(header, maxPieceBytes));
      isFull = piece.length === pieceBytes;
      count(piece.length);
      yield piece;
    }
  }

  /**
   * All else is read: holds it against the sums. Throws `bad_request` where they are not as they should be, or more
   * follows.
   */
  async end(): Promise<void> {
    const header = await this.peek(sumsName);
    if (header.name !== sumsName) {
      throw damaged(header.name, `${sumsName} must be in its place`);
    }
    const wanted = [...this.sums];
    const size = wanted.reduce((sum, line) => sum + line.length + 1, 0);
    // Not one byte of what can't be right is kept.
    if (header.size !== size) {
      throw damaged(sumsName, 'it names other members than are there');
    }
    const found = await this.member(header, size);
    let at = 0;
    for (const line of wanted) {
      const end = at + line.length + 1;
      if (found.toString('latin1', at, end) !== `${line}\n`) {
        throw damaged(line.slice(66), 'its checksum is another one');
      }
      at = end;
    }
    const rest = await this.bytes.exact(2 * blockSize, sumsName);
    if (rest.some((byte) => byte !== 0) || !(await this.bytes.isAtEnd())) {
      throw damaged(sumsName, 'there is more behind it');
    }
  }

  /** The header that comes next, which stays so until its member is read. `wanted` is what a file that ends here lacks. */
  private async peek(wanted: string): Promise<Header> {
    return (this.next ??= parsedHeader(await this.bytes.exact(blockSize, wanted), wanted));
  }

  private async member({ name, size }: Header, maxBytes: number): Promise<Buffer> {
    if (size > maxBytes) {
      throw damaged(name, `it has ${size} bytes, more than the ${maxBytes} that it may have`);
    }
    this.next = undefined;
    const content = await this.bytes.exact(size, name);
    const padding = await this.bytes.exact(paddingOf(size), name);
    if (padding.some((byte) => byte !== 0)) {
      throw damaged(name, 'there is something between it and the next member');
    }
    this.sums.push(`${createHash('sha256').update(content).digest('hex')}  ${name}`);
    return content;
  }
}

/** Only plain files with the header that their writer gives them. */
function parsedHeader(block: Buffer, wanted: string): Header {
  let header: ReturnType<typeof decodeHeader>;
  try {
    header = decodeHeader(block);
  } catch (error) {
    throw damaged(wanted, 'the header in its place is damaged', error);
  }
  if (header === undefined) {
    throw damaged(wanted, 'the file ends before it');
  }
  const { name, type, size } = header;
  if (type !== 'file' || !headerOf(name, size).equals(block)) {
    throw damaged(name.slice(0, shownName), 'it is no plain file of ours');
  }
  return { name, size };
}

async function unpacked(name: string, packed: Buffer): Promise<Buffer> {
  try {
    return await unpack(packed, { maxOutputLength: pieceBytes });
  } catch (error) {
    throw damaged(name, 'it can not be unpacked', error);
  }
}

/** Bytes in the portions that are asked for. */
class ByteReader {
  private readonly source: AsyncIterator<Buffer>;
  private held: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.source = source[Symbol.asyncIterator]();
  }

  /** `member` is what lacks them where the file ends before. */
  async exact(size: number, member: string): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let left = size; left > 0;) {
      if (this.held.length === 0 && !(await this.fetch())) {
        throw damaged(member, 'the file ends in it');
      }
      const part = this.held.subarray(0, left);
      this.held = this.held.subarray(part.length);
      left -= part.length;
      parts.push(part);
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, size);
  }

  async isAtEnd(): Promise<boolean> {
    return this.held.length === 0 && !(await this.fetch());
  }

  /** False at the end. */
  private async fetch(): Promise<boolean> {
    for (;;) {
      const next = await this.source.next();
      if (next.done === true) {
        return false;
      }
      if (next.value.length > 0) {
        this.held = next.value;
        return true;
      }
    }
  }
}
