/**
 * Writes a workspace file: a tar whose contents are in pieces, as nobody knows their sizes beforehand, each of them packed by
 * gzip for itself. So a file is written to a pipe, and any tar and gzip can read it: `tar xf demo.berth && sha256sum -c
 * SHA256SUMS && cat volumes/home/*.gz | gunzip | tar t`.
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { mebibyte } from '../../../../api/rules/sizes';
import { blockSize, encodeHeader, paddingOf } from '../../../tar/header';
import { manifestBytes, manifestName, type Manifest } from './manifest';

export const pieceBytes = mebibyte;
export const sumsName = 'SHA256SUMS';
/** Most of what there is to save, at three times the speed. */
const level = 1;
/** Packed by Node's threads, which are four. */
const atOnce = 4;
const digits = 8;
const pack = promisify(gzip);

/** The member of a content that is its piece of that number, from 0. */
export const pieceName = (content: string, number: number): string =>
  `${content}/${String(number).padStart(digits, '0')}.gz`;

/** The one header that a member of that name and size has. */
export function headerOf(name: string, size: number): Buffer {
  return encodeHeader({
    ...{ name, type: 'file', size, mode: 0o644, uid: 0, gid: 0, mtimeMs: 0, linkName: '' },
  });
}

/** Takes bytes of the file in their order; resolves when there is room for more. */
export type Send = (bytes: Buffer) => Promise<void>;

export class BundleWriter {
  private readonly sums: string[] = [];

  constructor(private readonly send: Send) {}

  /** Throws for one that can't be read again, before anything is written. */
  async manifest(manifest: Manifest): Promise<void> {
    await this.member(manifestName, manifestBytes(manifest));
  }

  /** All of a content, from the first byte to the last: its chunks are its sender's again when `take` resolves. */
  async content(
    name: string,
    write: (take: (chunk: Buffer) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const pieces = new Pieces((number, bytes) => this.member(pieceName(name, number), bytes));
    try {
      await write((chunk) => pieces.take(chunk));
      await pieces.end();
    } finally {
      await pieces.settle();
    }
  }

  async end(): Promise<void> {
    await this.member(sumsName, Buffer.from(this.sums.join('')));
    await this.send(Buffer.alloc(2 * blockSize));
  }

  private async member(name: string, content: Buffer): Promise<void> {
    const sum = createHash('sha256').update(content).digest('hex');
    this.sums.push(`${sum}  ${name}\n`);
    await this.send(
      Buffer.concat([headerOf(name, content.length), content, Buffer.alloc(paddingOf(content.length))]),
    );
  }
}

/** Gathers pieces, and packs several at once; they are written in their order. */
class Pieces {
  private buffer = Buffer.allocUnsafeSlow(pieceBytes);
  private used = 0;
  private number = 0;
  private readonly packing: Promise<Buffer>[] = [];

  constructor(private readonly write: (number: number, bytes: Buffer) => Promise<void>) {}

  async take(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      const taken = chunk.copy(this.buffer, this.used, at);
      at += taken;
      this.used += taken;
      if (this.used === pieceBytes) {
        await this.begin();
      }
    }
  }

  /** A content has at least one piece. */
  async end(): Promise<void> {
    if (this.used > 0 || (this.number === 0 && this.packing.length === 0)) {
      await this.begin();
    }
    while (this.packing.length > 0) {
      await this.writeFirst();
    }
  }

  /** Nothing of it goes on, whatever became of it. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.packing.splice(0));
  }

  private async begin(): Promise<void> {
    const piece = pack(this.buffer.subarray(0, this.used), { level });
    piece.catch(() => undefined);
    this.packing.push(piece);
    this.buffer = Buffer.allocUnsafeSlow(pieceBytes);
    this.used = 0;
    if (this.packing.length === atOnce) {
      await this.writeFirst();
    }
  }

  private async writeFirst(): Promise<void> {
    const bytes = await this.packing[0];
    void this.packing.shift();
    if (bytes !== undefined) {
      await this.write(this.number, bytes);
      this.number += 1;
    }
  }
}
