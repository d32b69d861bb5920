/** OCI image layouts: folders of blobs with an index (OCI image specification, "Image Layout"). */
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BerthError } from '../../../api/errors';
import { mebibyte } from '../../../api/rules/sizes';
import { draftOf } from '../../machine/drafts';
import { makeFolder } from '../../machine/files';
import { replaceFile, writeWhole } from '../../machine/whole-file';
import { digestOf, readBlob, Verifier, type Blobs, type Part } from './blobs';
import {
  Index,
  maxDocumentBytes,
  Manifest,
  mediaTypes,
  parseDocument,
  refName,
  imageName,
  type Descriptor,
} from './documents';
import { isIndex } from './image';
import { LayoutLock } from './layout-lock';

const digestName = /^[0-9a-f]{64}$/;

export class Layout implements Blobs {
  private readonly lock: LayoutLock;

  constructor(
    readonly folder: string,
    readonly name = folder,
  ) {
    this.lock = new LayoutLock(folder);
  }

  /** The content of a part. Throws `not_found` where the layout lacks it. */
  async open({ digest }: Part): Promise<Readable> {
    const path = this.pathOf(digest);
    if (!(await isFile(path))) {
      throw new BerthError('not_found', `${this.name} lacks ${digest}: it is incomplete.`, {
        field: 'image',
      });
    }
    return createReadStream(path, { highWaterMark: mebibyte });
  }

  async has({ digest, size }: Part): Promise<boolean> {
    const found = await stat(this.pathOf(digest)).catch(() => undefined);
    return found?.size === size;
  }

  /** Empty when there is no such layout. */
  async index(): Promise<Index> {
    const path = join(this.folder, 'index.json');
    return (await isFile(path, maxDocumentBytes))
      ? parseDocument(Index, await readFile(path), `The index of ${this.name}`)
      : { schemaVersion: 2, manifests: [] };
  }

  /** By the name on record; undefined when there is none. */
  async find(name: string): Promise<Descriptor | undefined> {
    const { manifests } = await this.index();
    return manifests.find(({ annotations }) => annotations?.[refName] === name);
  }

  /** Keeps bytes as a blob. */
  async put(bytes: Buffer): Promise<Part> {
    const part = { digest: digestOf(bytes), size: bytes.length };
    if (!(await this.has(part))) {
      await makeFolder(this.blobs);
      await replaceFile(this.pathOf(part.digest), bytes);
    }
    return part;
  }

  /** Keeps a stream as the blob that it must be. `count` gets the bytes. */
  async receive(
    source: Readable,
    part: Part,
    { count, signal }: { count: (bytes: number) => void; signal: AbortSignal },
  ): Promise<void> {
    await this.write(async (draft) => {
      const file = createWriteStream(draft, { mode: 0o600, flags: 'wx' });
      await pipeline(source, new Verifier(part, this.name, count), file, { signal });
      return part;
    });
  }

  /** Keeps what `write` puts at the path that it is given as the blob that it says it is. */
  async write<T extends Pick<Part, 'digest'>>(write: (draft: string) => Promise<T>): Promise<T> {
    await makeFolder(this.blobs);
    const nameOf = ({ digest }: T): string => this.pathOf(digest);
    return writeWhole({ beside: join(this.folder, 'blob'), nameOf }, write);
  }

  /** A path for a file that is needed meanwhile, and to be removed by the caller. */
  async scratch(): Promise<string> {
    await makeFolder(this.blobs);
    return draftOf(join(this.folder, 'scratch'));
  }

  /** Until the answer is called no blob is removed, also if no image needs it (yet). */
  hold(): Promise<() => void> {
    return this.lock.hold();
  }

  /** Gives an image its name, taken from whatever had it. */
  async tag(name: string, image: Descriptor): Promise<void> {
    await this.change((manifests) => [
      ...manifests.filter(({ annotations }) => annotations?.[refName] !== name),
      { ...image, annotations: { ...image.annotations, [refName]: name, [imageName]: name } },
    ]);
  }

  /** Takes a name away, and the blobs that no image needs any more; false when there is none. */
  async remove(name: string): Promise<boolean> {
    const isThere = (await this.find(name)) !== undefined;
    await this.change((manifests) => manifests.filter(({ annotations }) => annotations?.[refName] !== name));
    return isThere;
  }

  private get blobs(): string {
    return join(this.folder, 'blobs', 'sha256');
  }

  private pathOf(digest: string): string {
    return join(this.blobs, digest.slice('sha256:'.length));
  }

  private async change(edit: (manifests: Descriptor[]) => Descriptor[]): Promise<void> {
    await this.lock.alone(async () => {
      const { manifests } = await this.index();
      const edited: Index = { schemaVersion: 2, manifests: edit(manifests) };
      await replaceFile(join(this.folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
      const index = { mediaType: mediaTypes.index, ...edited };
      await replaceFile(join(this.folder, 'index.json'), JSON.stringify(index));
      const left = new Set(edited.manifests.map(({ digest }) => digest));
      if (manifests.some(({ digest }) => !left.has(digest)) && !(await this.lock.isHeld())) {
        await this.sweep(edited);
      }
    });
  }

  /** Removes nothing where it is not known what an image needs: one that is damaged must not keep others from going. */
  private async sweep(index: Index): Promise<void> {
    const used = new Set<string>();
    try {
      for (const descriptor of index.manifests) {
        await this.mark(descriptor, used);
      }
    } catch {
      return;
    }
    for (const name of await readdir(this.blobs)) {
      if (digestName.test(name) && !used.has(`sha256:${name}`)) {
        await rm(join(this.blobs, name), { force: true });
      }
    }
  }

  private async mark(descriptor: Descriptor, used: Set<string>): Promise<void> {
    used.add(descriptor.digest);
    const bytes = await readBlob(this, descriptor, new AbortController().signal);
    if (isIndex(descriptor.mediaType)) {
      for (const each of parseDocument(Index, bytes, `The index of ${this.name}`).manifests) {
        await this.mark(each, used).catch(ignoreMissing);
      }
    } else {
      const { config, layers } = parseDocument(Manifest, bytes, `The manifest of ${this.name}`);
      [config, ...layers].forEach(({ digest }) => used.add(digest));
    }
  }
}

/** A pipe, or something endless, is no part of an image. */
async function isFile(path: string, maxBytes = Infinity): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true && found.size <= maxBytes;
}

/** Of an image for several platforms only one is kept. */
function ignoreMissing(error: unknown): void {
  if (!(error instanceof BerthError && error.code === 'not_found')) {
    throw error;
  }
}
