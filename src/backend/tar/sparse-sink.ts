/** Hands the content of a sparse file on in its places: pieces where there are bytes, holes in between. */
import type { ContentSink, PieceSink } from './visitor';
import type { SparsePart } from './sparse';

const zeros = Buffer.alloc(64 * 1024);

export class SparseSink implements PieceSink {
  /** In the file. */
  private at = 0;
  private index = 0;

  constructor(
    private readonly sink: ContentSink,
    private readonly parts: readonly SparsePart[],
    private readonly size: number,
  ) {}

  piece(bytes: Buffer): Promise<void> | undefined {
    for (let rest = bytes; rest.length > 0;) {
      const [taken, answer] = this.step(rest);
      rest = rest.subarray(taken);
      if (answer !== undefined) {
        const later = rest;
        return answer.then(() => this.piece(later));
      }
    }
    return undefined;
  }

  end(): Promise<void> | undefined {
    const answer = this.skipTo(this.size);
    return answer === undefined ? this.sink.end() : answer.then(() => this.sink.end());
  }

  private step(bytes: Buffer): [taken: number, answer: Promise<void> | undefined] {
    const part = this.parts[this.index];
    if (part === undefined) {
      return [bytes.length, undefined];
    }
    if (this.at < part.offset) {
      return [0, this.skipTo(part.offset)];
    }
    const piece = bytes.subarray(0, part.offset + part.length - this.at);
    this.at += piece.length;
    if (this.at === part.offset + part.length) {
      this.index++;
    }
    return [piece.length, piece.length === 0 ? undefined : this.sink.piece(piece)];
  }

  private skipTo(offset: number): Promise<void> | undefined {
    const length = offset - this.at;
    this.at = offset;
    if (length === 0) {
      return undefined;
    }
    return this.sink.hole(length);
  }
}

/** A hole as pieces, for whoever has none. A map may say anything: not more of it than is wanted. */
export function pieceZeros(
  piece: (bytes: Buffer) => Promise<void> | undefined,
  length: number,
): Promise<void> | undefined {
  for (let left = length; left > 0;) {
    const count = Math.min(left, zeros.length);
    left -= count;
    const answer = piece(zeros.subarray(0, count));
    if (answer !== undefined) {
      const later = left;
      return answer.then(() => pieceZeros(piece, later));
    }
  }
  return undefined;
}
