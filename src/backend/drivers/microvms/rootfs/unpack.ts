/** Layers, unpacked as they come: what is in them is what the image's configuration says. */
import { createHash } from 'node:crypto';
import { Readable, Transform, type TransformCallback } from 'node:stream';
import * as zlib from 'node:zlib';
import { BerthError } from '../../../../api/errors';
import { gibibyte } from '../../../../api/rules/sizes';
import { readTar } from '../../../files/disk/filling/read-tar';
import type { Contents } from '../../../files/disk/filling/contents';
import type { Tree } from '../../../files/disk/filling/tree';
import { Verifier } from '../../../images/oci/blobs';
import type { OpenImage } from '../../../images/oci/image';
import { throwIfCancelled } from '../../../machine/wait';

const gzipMagic = Buffer.from([0x1f, 0x8b]);
const zstdMagic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** Headers, padding and what is left out, beside the contents that are counted themselves. */
const maxUnpackedBytes = 64 * gibibyte;

/** Of Node 22.15 and later. */
function zstd(): Transform {
  const create: unknown = Reflect.get(zlib, 'createZstdDecompress');
  if (typeof create !== 'function') {
    throw new BerthError(
      'not_supported',
      `The image has layers packed with zstd, which Node ${process.versions.node} can't unpack.`,
      { hint: 'Run Berth with Node 22.15 or later, or use an image whose layers are packed with gzip.' },
    );
  }
  return (create as () => Transform)();
}

/** By what its first bytes are: names of media types are not always right. */
function decoderFor(first: Buffer): Transform | undefined {
  if (first.subarray(0, 2).equals(gzipMagic)) {
    return zlib.createGunzip();
  }
  return first.subarray(0, 4).equals(zstdMagic) ? zstd() : undefined;
}

class Digester extends Transform {
  private readonly hash = createHash('sha256');
  private seen = 0;

  constructor(
    private readonly wanted: string,
    private readonly where: string,
  ) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.seen += chunk.length;
    if (this.seen > maxUnpackedBytes) {
      done(new BerthError('too_large', `A layer of ${this.where} unpacks to more than any disk holds.`));
      return;
    }
    this.hash.update(chunk);
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    const found = `sha256:${this.hash.digest('hex')}`;
    const problem = `A layer of ${this.where} holds ${found}, not ${this.wanted} as its configuration says.`;
    done(found === this.wanted ? null : new BerthError('bad_request', problem, { field: 'image' }));
  }
}

/** All its layers, lowest first. `count` gets packed bytes. Throws `bad_request` for a layer that can't be unpacked. */
export async function applyLayers(
  image: OpenImage,
  tree: Tree,
  contents: Contents,
  options: { count: (bytes: number) => void; signal: AbortSignal },
): Promise<void> {
  const { count, signal } = options;
  for (const layer of image.layers) {
    throwIfCancelled(signal, 'unpack an image');
    const { size, digest } = layer;
    const packed = await layer.open(signal);
    const verified = chain(packed, new Verifier({ size, digest }, image.name, count));
    const unpacked = chain(await decoded(verified), new Digester(layer.diffId, image.name));
    try {
      await readTar(unpacked, tree, contents, { isLayer: true, signal });
    } catch (error) {
      throw asImageError(error, image.name);
    } finally {
      packed.destroy();
    }
  }
}

async function decoded(source: Readable): Promise<Readable> {
  const chunks = (source as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  let first = Buffer.alloc(0);
  while (first.length < zstdMagic.length) {
    const next = await chunks.next();
    if (next.done === true) {
      break;
    }
    first = Buffer.concat([first, next.value]);
  }
  const rest: AsyncIterable<Buffer> = { [Symbol.asyncIterator]: () => chunks };
  const whole = async function* () {
    yield first;
    yield* rest;
  };
  const plain = Readable.from(whole(), { objectMode: false });
  const decoder = decoderFor(first);
  return decoder === undefined ? plain : chain(plain, decoder);
}

/** Unlike `pipe`, an error goes on, and so does the end of whoever reads. */
function chain<T extends Transform>(source: Readable, target: T): T {
  source.on('error', (error) => target.destroy(error));
  target.on('close', () => source.destroy());
  return source.pipe(target);
}

function asImageError(error: unknown, name: string): unknown {
  const isZlib = error instanceof Error && 'code' in error && /^Z_|^ZSTD/.test(String(error.code));
  return isZlib
    ? new BerthError('bad_request', `A layer of ${name} can't be unpacked: ${error.message}.`, {
        field: 'image',
        cause: error,
      })
    : error;
}
