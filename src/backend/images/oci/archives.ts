/** Images in tars: what `docker save` writes, and OCI image layouts. */
import { Type } from '@sinclair/typebox';
import type { Readable } from 'node:stream';
import { BerthError } from '../../../api/errors';
import { digestOf, type Blobs, type Part } from './blobs';
import { ImageDocument, Index, parseDocument } from './documents';
import { imageOf, type OpenImage } from './image';
import type { TarFile } from './tar-file';

const Saved = Type.Array(
  Type.Object({
    Config: Type.String(),
    RepoTags: Type.Optional(Type.Union([Type.Array(Type.String()), Type.Null()])),
    Layers: Type.Array(Type.String(), { maxItems: 1_000 }),
  }),
  { maxItems: 10_000 },
);

/**
 * The image of that name in what `docker save` wrote; the only one there is when no name is given. With its
 * configuration as it is written. Throws `bad_request` for what is no such archive or lacks a part, `image_missing`
 * where no image, or several, have the name.
 */
export async function openSaved(
  tar: TarFile,
  wanted: string | undefined,
): Promise<OpenImage & { config: Buffer }> {
  const bytes = await tar.read('manifest.json');
  if (bytes === undefined) {
    throw new BerthError('bad_request', `${tar.path} is not an archive of \`docker save\`.`, {
      field: 'image',
      hint: 'An OCI layout is named with `oci:` in front.',
    });
  }
  const saved = parseDocument(Saved, bytes, `The manifest of ${tar.path}`);
  const tags = saved.flatMap(({ RepoTags }) => RepoTags ?? []);
  const found = wanted === undefined ? saved : saved.filter(({ RepoTags }) => hasTag(RepoTags ?? [], wanted));
  const [entry, ...others] = found;
  if (entry === undefined || others.length > 0) {
    throw oneOf(tar.path, wanted, tags);
  }
  const config = await tar.read(entry.Config);
  if (config === undefined) {
    throw new BerthError('bad_request', `${tar.path} lacks its configuration: it is incomplete.`, {
      field: 'image',
    });
  }
  const document = parseDocument(ImageDocument, config, `The configuration of ${tar.path}`);
  const layers = entry.Layers.map((layer) => {
    const size = tar.sizeOf(layer);
    if (size === undefined) {
      throw new BerthError('bad_request', `${tar.path} lacks the layer ${JSON.stringify(layer)}.`, {
        field: 'image',
      });
    }
    return { size, open: () => Promise.resolve(tar.stream(layer)) };
  });
  return { ...imageOf(tar.path, digestOf(config), document, layers), config };
}

/** `name:tag`, or the tag alone. */
function hasTag(tags: readonly string[], wanted: string): boolean {
  return tags.some((tag) => tag === wanted || tag === `${wanted}:latest` || tag.endsWith(`:${wanted}`));
}

/** The error `image_missing` that names the images of an archive which is to be one of them. */
export function oneOf(path: string, wanted: string | undefined, names: readonly string[]): BerthError {
  const shown = names.length === 0 ? 'no names' : names.slice(0, 10).join(', ');
  const what = wanted === undefined ? 'does not hold one image' : `holds no image "${wanted}"`;
  return new BerthError('image_missing', `${path} ${what}; it has ${shown}.`, {
    field: 'image',
    ...(names.length > 0 && { hint: `Name one: \`${path}:${names[0] ?? ''}\`.` }),
  });
}

/** The blobs of an OCI layout that is in a tar. */
export class TarLayout implements Blobs {
  constructor(private readonly tar: TarFile) {}

  get name(): string {
    return this.tar.path;
  }

  open({ digest }: Part): Promise<Readable> {
    return Promise.resolve(this.tar.stream(`blobs/sha256/${digest.slice('sha256:'.length)}`));
  }

  /** The index of the layout. Throws `bad_request` where there is none. */
  async index(): Promise<Index> {
    const bytes = await this.tar.read('index.json');
    if (bytes === undefined) {
      throw new BerthError('bad_request', `${this.name} is not an OCI image layout.`, {
        field: 'image',
        hint: 'What `docker save` writes is named with `docker-archive:` in front.',
      });
    }
    return parseDocument(Index, bytes, `The index of ${this.name}`);
  }
}
