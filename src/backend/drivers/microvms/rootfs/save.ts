/** An image as a tar: an OCI image layout that `docker load`, also of old engines, takes as well. */
import { finished, Readable } from 'node:stream';
import { blockSize, encodeHeader, paddingOf } from '../../../tar/header';
import { readBlob, Verifier, type Part } from '../../../images/oci/blobs';
import { imageName, Manifest, mediaTypes, parseDocument, refName } from '../../../images/oci/documents';
import type { Layout } from '../../../images/oci/layout';
import type { OwnImage } from './own-images';

/** What it is of is not removed before the tar has ended. */
export async function saveImage(image: OwnImage, signal: AbortSignal): Promise<Readable> {
  const release = await image.layout.hold();
  const tar = Readable.from(archiveOf(image, signal), { objectMode: false });
  finished(tar, release);
  return tar;
}

function pathOf({ digest }: Part): string {
  return `blobs/sha256/${digest.slice('sha256:'.length)}`;
}

async function* archiveOf(
  { layout, descriptor, name }: OwnImage,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const manifestBytes = await readBlob(layout, descriptor, signal);
  const manifest = parseDocument(Manifest, manifestBytes, `The manifest of ${name}`);
  const saved = [{ Config: pathOf(manifest.config), RepoTags: [name], Layers: manifest.layers.map(pathOf) }];
  const annotations = { [imageName]: name, [refName]: name };
  const index = {
    ...{ schemaVersion: 2, mediaType: mediaTypes.index },
    manifests: [{ ...descriptor, annotations }],
  };
  yield* member('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
  yield* member('index.json', Buffer.from(JSON.stringify(index)));
  yield* member('manifest.json', Buffer.from(JSON.stringify(saved)));
  yield* member(pathOf(descriptor), manifestBytes);
  const parts = new Map([manifest.config, ...manifest.layers].map((part) => [part.digest, part]));
  yield* blobs(layout, [...parts.values()]);
  yield Buffer.alloc(2 * blockSize);
}

async function* blobs(layout: Layout, parts: readonly Part[]): AsyncGenerator<Buffer> {
  for (const part of parts) {
    yield header(pathOf(part), part.size);
    const verifier = new Verifier(part, layout.name);
    const source = await layout.open(part);
    source.on('error', (error) => verifier.destroy(error));
    try {
      yield* source.pipe(verifier) as AsyncIterable<Buffer>;
    } finally {
      source.destroy();
    }
    yield Buffer.alloc(paddingOf(part.size));
  }
}

function* member(name: string, content: Buffer): Generator<Buffer> {
  yield header(name, content.length);
  yield content;
  yield Buffer.alloc(paddingOf(content.length));
}

function header(name: string, size: number): Buffer {
  return encodeHeader({
    ...{ name, type: 'file', size, mode: 0o644, uid: 0, gid: 0, linkName: '' },
    mtimeMs: 0,
  });
}
