/** What a reader of tars hands its entries and their contents to. */
import type { TarEntry } from './header';

/** What answers a promise is waited for before it gets more. */
export type Answer = Promise<void> | undefined;

/** Gets bytes as the archive has them. */
export interface PieceSink {
  /** The bytes are the sender's again when the answer has settled. */
  piece(bytes: Buffer): Answer;
  end(): Answer;
}

/** Gets a content in its places. */
export interface ContentSink extends PieceSink {
  /** So many zeros that take no room, in a sparse file: a few bytes of a tar may say that they are a petabyte. */
  hole(length: number): Answer;
}

export interface TarVisitor {
  /** A complete entry; `content` is empty but for files. */
  entry(entry: TarEntry, content: Buffer): Answer;
  /** A file that is larger than `wholeSize`, or sparse; undefined: its content is passed over. */
  large(entry: TarEntry): ContentSink | undefined;
}
