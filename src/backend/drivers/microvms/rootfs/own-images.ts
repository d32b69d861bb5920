/** Images that no container engine has: committed here, or pulled without one. */
import { BerthError } from '../../../../api/errors';
import { withTag } from '../../../../api/rules/image-reference';
import type { Image } from '../../../../api/engine/schemas';
import { readBlob } from '../../../images/oci/blobs';
import {
  ImageDocument,
  Manifest,
  parseDocument,
  refName,
  type Descriptor,
} from '../../../images/oci/documents';
import type { Layout } from '../../../images/oci/layout';

export interface OwnImage {
  layout: Layout;
  descriptor: Descriptor;
  name: string;
}

export class OwnImages {
  constructor(private readonly layouts: readonly Layout[]) {}

  /** Where committed ones go. */
  get committed(): Layout {
    return this.at(0);
  }

  get pulled(): Layout {
    return this.at(-1);
  }

  async list(): Promise<Image[]> {
    const lists = await Promise.all(
      this.layouts.map(async (layout) => {
        const { manifests } = await layout.index();
        return Promise.all(manifests.map((descriptor) => toImage(layout, descriptor)));
      }),
    );
    return lists.flat().filter((image) => image !== undefined);
  }

  async find(image: string): Promise<OwnImage | undefined> {
    const name = withTag(image);
    for (const layout of this.layouts) {
      const descriptor = await layout.find(name);
      if (descriptor !== undefined) {
        return { layout, descriptor, name };
      }
    }
    return undefined;
  }

  /** Throws `image_missing`. */
  async get(image: string): Promise<OwnImage> {
    const found = await this.find(image);
    if (found === undefined) {
      throw new BerthError('image_missing', `There is no image '${image}' of microVMs.`, {
        hint: '`berth image list` shows the ones there are.',
        field: 'image',
      });
    }
    return found;
  }

  private at(index: number): Layout {
    const layout = this.layouts.at(index);
    if (layout === undefined) {
      throw new Error('this engine has no image store');
    }
    return layout;
  }
}

/** Undefined for what can't be read: one that is damaged must not hide the others. */
async function toImage(layout: Layout, descriptor: Descriptor): Promise<Image | undefined> {
  const { signal } = new AbortController();
  try {
    const manifest = parseDocument(Manifest, await readBlob(layout, descriptor, signal), 'A manifest');
    const bytes = await readBlob(layout, manifest.config, signal);
    const { created } = parseDocument(ImageDocument, bytes, 'A configuration');
    const name = descriptor.annotations?.[refName];
    return {
      id: manifest.config.digest,
      tags: name === undefined ? [] : [name],
      sizeBytes: manifest.layers.reduce((sum, { size }) => sum + size, 0),
      createdAt: new Date(created ?? 0).toISOString(),
      usedBy: [],
    };
  } catch {
    return undefined;
  }
}
