/** From the word `image` of a workspace to where its files come from. */
import { stat } from 'node:fs/promises';
import { BerthError, asBerthError } from '../../../../api/errors';
import { withTag } from '../../../../api/rules/image-reference';
import { oneOf, openSaved, TarLayout } from '../../../images/oci/archives';
import { imageName, refName, type Descriptor, type Index } from '../../../images/oci/documents';
import { choose, openImage, refuseForeign } from '../../../images/oci/image';
import { Layout } from '../../../images/oci/layout';
import { TarFile } from '../../../images/oci/tar-file';
import { diskSource } from './disk-source';
import type { FoundImage, ImageExporter } from './exporter';
import type { OwnDisks } from './own-disks';
import { parseReference } from './reference';
import { engineSource, ociSource, type RootSource } from './source';

export interface FinderDeps {
  exporter: ImageExporter;
  /** Our own, in the order in which they are asked: what was committed, what was pulled. */
  layouts: readonly Layout[];
  /** Kept here under names that no container engine has. */
  disks: Pick<OwnDisks, 'find' | 'source'>;
  qemuImg: () => Promise<string>;
}

export class ImageFinder {
  constructor(private readonly deps: FinderDeps) {}

  /** Undefined when nobody here has an image of that name; throws when what a path names is no image. */
  async find(image: string, signal: AbortSignal): Promise<RootSource | undefined> {
    const reference = parseReference(image);
    switch (reference.kind) {
      case 'disk':
        return diskSource(reference.path, this.deps.qemuImg);
      case 'docker-archive': {
        const tar = await TarFile.open(reference.path, signal);
        return ociSource(await openSaved(tar, reference.name));
      }
      case 'oci':
        return ociSource(await openLayout(reference.path, reference.name, signal));
      case 'name':
        return this.byName(reference.name, signal);
    }
  }

  /** True when the container engine has it. */
  async engineHas(image: string): Promise<boolean> {
    return (await this.inEngine(image)) !== undefined;
  }

  private async byName(name: string, signal: AbortSignal): Promise<RootSource | undefined> {
    const { disks } = this.deps;
    const disk = await disks.find(name);
    if (disk !== undefined) {
      return disks.source(disk);
    }
    const found = await this.inEngine(name);
    if (found !== undefined) {
      refuseForeign(name, found);
      return engineSource(this.deps.exporter, name, found.id);
    }
    for (const layout of this.deps.layouts) {
      const own = await layout.find(withTag(name));
      if (own !== undefined) {
        return ociSource(await openImage(layout, own, signal), layout);
      }
    }
    return undefined;
  }

  /** An engine that does not answer has nothing. */
  private async inEngine(name: string): Promise<FoundImage | undefined> {
    try {
      return await this.deps.exporter.find(name);
    } catch (error) {
      if (asBerthError(error).code === 'runtime_unavailable') {
        return undefined;
      }
      throw error;
    }
  }
}

async function openLayout(path: string, name: string | undefined, signal: AbortSignal) {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    throw new BerthError('image_missing', `There is no OCI image layout ${path}.`, { field: 'image' });
  }
  const blobs = found.isDirectory() ? new Layout(path) : new TarLayout(await TarFile.open(path, signal));
  return openImage(blobs, pick(await blobs.index(), name, path), signal);
}

/** By its name; without one the only image there is, which may be there for several platforms. */
function pick({ manifests }: Index, wanted: string | undefined, path: string): Descriptor {
  const names = manifests.flatMap(
    ({ annotations }) => annotations?.[imageName] ?? annotations?.[refName] ?? [],
  );
  const [only, ...others] = manifests;
  if (wanted !== undefined) {
    const found = manifests.find(({ annotations }) =>
      [annotations?.[refName], annotations?.[imageName]].some(
        (each) => each === wanted || each?.endsWith(`:${wanted}`) === true,
      ),
    );
    if (found === undefined) {
      throw oneOf(path, wanted, names);
    }
    return found;
  }
  if (only !== undefined && others.length === 0) {
    return only;
  }
  if (manifests.length > 1 && new Set(names).size < 2) {
    return choose(manifests, path);
  }
  throw oneOf(path, undefined, names);
}
