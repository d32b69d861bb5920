/** An image of an archive, as `save` and `docker save` write it, taken into a layout. */
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { openSaved, TarLayout } from '../../../images/oci/archives';
import { readBlob } from '../../../images/oci/blobs';
import {
  ImageDocument,
  Index,
  Manifest,
  mediaTypes,
  parseDocument,
  type Descriptor,
} from '../../../images/oci/documents';
import { choose, isIndex, refuseForeign } from '../../../images/oci/image';
import type { Layout } from '../../../images/oci/layout';
import { TarFile } from '../../../images/oci/tar-file';

/** Under `name` and no other; every part is held against its digest. Answers nothing half-way: blobs without a name go. */
export async function loadImage(
  layout: Layout,
  name: string,
  archive: Readable,
  signal: AbortSignal,
): Promise<void> {
  const release = await layout.hold();
  const path = await layout.scratch();
  try {
    await pipeline(archive, createWriteStream(path, { mode: 0o600, flags: 'wx' }), { signal });
    const tar = await TarFile.open(path, signal);
    if (tar.sizeOf('index.json') === undefined) {
      await loadSaved(layout, name, tar, signal);
      return;
    }
    const blobs = new TarLayout(tar);
    const { manifests } = await blobs.index();
    const descriptor = await manifestOf(blobs, choose(manifests, name), name, signal);
    const bytes = await readBlob(blobs, descriptor, signal);
    const { config, layers } = parseDocument(Manifest, bytes, `The manifest of ${name}`);
    refuseForeign(
      name,
      parseDocument(ImageDocument, await readBlob(blobs, config, signal), `The configuration of ${name}`),
    );
    for (const part of [config, ...layers]) {
      if (!(await layout.has(part))) {
        await layout.receive(await blobs.open(part), part, { count: () => undefined, signal });
      }
    }
    const { annotations: _, ...plain } = descriptor;
    await layout.put(bytes);
    await layout.tag(name, plain);
  } finally {
    await rm(path, { force: true });
    release();
  }
}

/** Of a Docker before 25: layers are plain tars, whose digests the configuration has. */
async function loadSaved(layout: Layout, name: string, tar: TarFile, signal: AbortSignal): Promise<void> {
  const { layers, config } = await openSaved(tar, undefined);
  for (const layer of layers) {
    const part = { digest: layer.diffId, size: layer.size };
    if (!(await layout.has(part))) {
      await layout.receive(await layer.open(signal), part, { count: () => undefined, signal });
    }
  }
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, ...(await layout.put(config)) },
    layers: layers.map(({ diffId, size }) => ({ mediaType: mediaTypes.plainLayer, digest: diffId, size })),
  };
  const written = await layout.put(Buffer.from(JSON.stringify(manifest)));
  await layout.tag(name, { mediaType: mediaTypes.manifest, ...written });
}

async function manifestOf(
  blobs: TarLayout,
  descriptor: Descriptor,
  name: string,
  signal: AbortSignal,
): Promise<Descriptor> {
  if (!isIndex(descriptor.mediaType)) {
    return descriptor;
  }
  const { manifests } = parseDocument(
    Index,
    await readBlob(blobs, descriptor, signal),
    `The index of ${name}`,
  );
  return choose(manifests, name);
}
