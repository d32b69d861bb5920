/** One image: its configuration and its layers, found by way of its manifests. */
import { arch } from 'node:process';
import type { Readable } from 'node:stream';
import { BerthError } from '../../../api/errors';
import type { ImageConfig } from '../image-config';
import { readBlob, type Blobs } from './blobs';
import { Index, Manifest, ImageDocument, mediaTypes, parseDocument, type Descriptor } from './documents';

/** Indexes may be in indexes; a sane one is at the second level. */
const deepest = 4;
const architectures: Partial<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

export interface Layer {
  /** Of what is in it, unpacked. */
  diffId: string;
  /** Of the blob as it is packed; undefined in archives that don't say. */
  digest?: string;
  size: number;
  /** Its bytes, unchecked. */
  open(signal: AbortSignal): Promise<Readable>;
}

export interface OpenImage {
  /** Of its configuration, which names the layers by what is in them: the image's id, wherever it comes from. */
  digest: string;
  document: ImageDocument;
  /** With the digest of what is in it, unpacked. */
  layers: readonly Layer[];
  /** For people. */
  name: string;
}

/** This machine's processor in the words of OCI, e.g. `amd64`. */
export function ownArchitecture(): string {
  return architectures[arch] ?? arch;
}

/** Whether a document lists images, one for each platform. */
export function isIndex(mediaType: string): boolean {
  return mediaType === mediaTypes.index || mediaType === mediaTypes.dockerList;
}

/** Follows indexes to the manifest of this machine's platform. */
export async function openImage(blobs: Blobs, root: Descriptor, signal: AbortSignal): Promise<OpenImage> {
  const manifest = await manifestOf(blobs, root, signal);
  const what = `The configuration of ${blobs.name}`;
  const bytes = await readBlob(blobs, manifest.config, signal);
  const document = parseDocument(ImageDocument, bytes, what);
  const layers = manifest.layers.map(({ digest, size }) => ({
    ...{ digest, size },
    open: (aborted: AbortSignal) => blobs.open({ digest, size }, aborted),
  }));
  return imageOf(blobs.name, manifest.config.digest, document, layers);
}

/**
 * Checks that the layers are as many as the configuration has, and for this machine. Throws `bad_request` for a damaged
 * image, `not_supported` for another machine's.
 */
export function imageOf(
  name: string,
  digest: string,
  document: ImageDocument,
  layers: readonly Omit<Layer, 'diffId'>[],
): OpenImage {
  const { diff_ids: diffIds } = document.rootfs;
  if (diffIds.length !== layers.length) {
    throw new BerthError(
      'bad_request',
      `${name} is damaged: it has ${layers.length} layers, and ${diffIds.length} in its configuration.`,
      { field: 'image' },
    );
  }
  refuseForeign(name, document);
  return {
    ...{ digest, document, name },
    layers: layers.map((layer, index) => ({ ...layer, diffId: diffIds[index] ?? '' })),
  };
}

/** How an image is to be run. */
export function configOf({ config }: ImageDocument): ImageConfig {
  return {
    env: config?.Env ?? [],
    user: config?.User ?? '',
    workdir: config?.WorkingDir ?? '',
    entrypoint: config?.Entrypoint ?? [],
    cmd: config?.Cmd ?? [],
  };
}

async function manifestOf(blobs: Blobs, root: Descriptor, signal: AbortSignal): Promise<Manifest> {
  let at = root;
  for (let depth = 0; depth < deepest; depth++) {
    const bytes = await readBlob(blobs, at, signal);
    if (!isIndex(at.mediaType)) {
      return parseDocument(Manifest, bytes, `The manifest of ${blobs.name}`);
    }
    at = choose(parseDocument(Index, bytes, `The index of ${blobs.name}`).manifests, blobs.name);
  }
  throw new BerthError('bad_request', `${blobs.name} has indexes in indexes without end.`, {
    field: 'image',
  });
}

/**
 * The one for this machine; one that says nothing of a platform is the only one there is. Throws `not_supported` where
 * none is for this machine.
 */
export function choose(manifests: readonly Descriptor[], name: string): Descriptor {
  const architecture = ownArchitecture();
  const own = manifests.find(
    ({ platform }) => platform?.os === 'linux' && platform.architecture === architecture,
  );
  const [only, ...others] = manifests;
  const found = own ?? (only?.platform === undefined && others.length === 0 ? only : undefined);
  if (found !== undefined) {
    return found;
  }
  const there = manifests
    .flatMap(({ platform }) => (platform === undefined ? [] : [`${platform.os}/${platform.architecture}`]))
    .filter((each) => !each.startsWith('unknown/'));
  const offer = there.length === 0 ? '' : ` (it is for ${[...new Set(there)].slice(0, 10).join(', ')})`;
  throw new BerthError('not_supported', `${name} is not for linux/${architecture}${offer}.`, {
    hint: 'Name an image for this processor, or one that has several.',
    field: 'image',
  });
}

/** Throws `not_supported`, naming both, for an image of another kind of machine. */
export function refuseForeign(
  name: string,
  { os, architecture }: Pick<ImageDocument, 'os' | 'architecture'>,
): void {
  if (os !== 'linux' || architecture !== ownArchitecture()) {
    throw new BerthError(
      'not_supported',
      `${name} is for ${os}/${architecture}; this machine is linux/${ownArchitecture()}.`,
      { hint: 'Name an image for this processor, or one that has several.', field: 'image' },
    );
  }
}
