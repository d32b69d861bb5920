/** Parts of an image by their digests: wherever they come from, what is handed on is what the digest says. */
import { createHash, type Hash } from 'node:crypto';
import { Transform, type Readable, type TransformCallback } from 'node:stream';
import { BerthError } from '../../../api/errors';
import { maxDocumentBytes, type Descriptor } from './documents';

export type Part = Pick<Descriptor, 'digest' | 'size'>;

export interface Blobs {
  /** For people: where it is. */
  readonly name: string;
  /** Its bytes, unchecked; throws `not_found`. */
  open(part: Part, signal: AbortSignal): Promise<Readable>;
}

/** Its SHA-256, as images are named: `sha256:` and 64 digits. */
export function digestOf(bytes: Buffer | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Passes bytes on, and fails at the end when they are not those. */
export class Verifier extends Transform {
  private readonly hash: Hash = createHash('sha256');
  private seen = 0;

  constructor(
    /** Without a digest only the size is known. */
    private readonly wanted: { size: number; digest?: string | undefined },
    private readonly where: string,
    private readonly count: (bytes: number) => void = () => undefined,
  ) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.seen += chunk.length;
    if (this.seen > this.wanted.size) {
      done(this.wrong(`is longer than the ${this.wanted.size} bytes it should have`));
      return;
    }
    if (this.wanted.digest !== undefined) {
      this.hash.update(chunk);
    }
    this.count(chunk.length);
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    const found = `sha256:${this.hash.digest('hex')}`;
    const { size, digest = found } = this.wanted;
    if (this.seen !== size) {
      done(this.wrong(`has ${this.seen} bytes instead of ${size}`));
    } else {
      done(found === digest ? null : this.wrong(`has the digest ${found} instead`));
    }
  }

  private wrong(how: string): BerthError {
    return new BerthError(
      'bad_request',
      `${this.wanted.digest ?? 'A part'} of ${this.where} ${how}: it is damaged.`,
      {
        field: 'image',
        hint: 'Get the image again.',
      },
    );
  }
}

/** A small part as a whole, checked. Throws `too_large`, and `bad_request` for a damaged one. */
export async function readBlob(blobs: Blobs, part: Part, signal: AbortSignal): Promise<Buffer> {
  if (part.size > maxDocumentBytes) {
    throw new BerthError(
      'too_large',
      `A document of ${blobs.name} has ${part.size} bytes, which no document has.`,
      {
        field: 'image',
      },
    );
  }
  const verifier = new Verifier(part, blobs.name);
  const source = await blobs.open(part, signal);
  source.on('error', (error) => verifier.destroy(error));
  source.pipe(verifier);
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of verifier) {
      chunks.push(chunk as Buffer);
    }
  } finally {
    source.destroy();
  }
  return Buffer.concat(chunks);
}
