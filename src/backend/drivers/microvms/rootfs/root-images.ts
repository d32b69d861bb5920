/**
 * Root file systems of microVMs, made of images wherever those are: `images/rootfs/<digest>.ext4` in the cache, each
 * made once, never written to afterwards. Images of our own are OCI layouts: what was committed is in the state
 * directory, what was pulled in the cache.
 */
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { BerthError } from '../../../../api/errors';
import { imageMissing, withTag } from '../../../../api/rules/image-reference';
import type { Image } from '../../../../api/engine/schemas';
import { abandonedAfterMs, sweepDrafts } from '../../../machine/draft-sweep';
import { firstOf } from '../../../tar/losses';
import { replaceFile, writeWhole } from '../../../machine/whole-file';
import { readSuperblock } from '../../../ext4/fitness';
import type { Log } from '../../../machine/log';
import type { ImageConfig } from '../../../images/image-config';
import { Layout } from '../../../images/oci/layout';
import type { Authority, Repository } from '../../../images/oci/registry';
import type { SavedImage } from '../../driver';
import { pullImage, pushImage, type TransferOptions } from '../../../images/oci/transfer';
import type { CommitFrom, ImageArchive, RootImage, RootImages } from '../parts';
import { commitDisk } from './commit';
import type { ImageExporter } from './exporter';
import { ImageFinder } from './find-image';
import { OwnDisks } from './own-disks';
import { OwnImages, type OwnImage } from './own-images';
import { lockFile } from '../../../machine/publish';
import { loadImage } from './load';
import { saveImage } from './save';
import { SharedWork } from '../../../images/shared-work';
import type { RootSource } from './source';

const noConfig: ImageConfig = { env: [], user: '', workdir: '', entrypoint: [], cmd: [] };
const digestPattern = /^sha256:[0-9a-f]{64}$/;

/** Beside each root file system: how the image is run. */
type RootFile = ImageConfig & { leftOut?: readonly string[] };

export interface RootImageOptions {
  /** The state directory. */
  home: string;
  /** What can be made again; may be the state directory, or shared by several. */
  cache: string;
  exporter: ImageExporter;
  /** Passwords of registries. */
  authority: Authority;
  qemuImg: () => Promise<string>;
  log: Log;
}

export class RootImageStore implements RootImages, ImageArchive {
  readonly own: OwnImages;
  private readonly finder: ImageFinder;
  private readonly making = new SharedWork<RootImage>();
  private readonly folder: string;
  private readonly disks: OwnDisks;

  constructor(private readonly options: RootImageOptions) {
    const { home, cache, exporter, qemuImg } = options;
    this.folder = join(cache, 'images', 'rootfs');
    const layouts = [...new Set([home, cache])].map((root) => new Layout(join(root, 'images', 'oci')));
    this.own = new OwnImages(layouts);
    this.disks = new OwnDisks(join(home, 'images', 'disks'), qemuImg);
    this.finder = new ImageFinder({ exporter, layouts, disks: this.disks, qemuImg });
  }

  get archive(): this {
    return this;
  }

  /** A disk that was packed once is in a layout too, under the same name. */
  async list(): Promise<Image[]> {
    const [disks, images] = await Promise.all([this.disks.list(), this.own.list()]);
    const known = new Set(disks.flatMap(({ tags }) => tags));
    return [...disks, ...images.filter(({ tags }) => !tags.some((tag) => known.has(tag)))];
  }

  async has(image: string): Promise<boolean> {
    return (await this.own.find(image)) !== undefined || (await this.disks.find(image)) !== undefined;
  }

  async resolve(reference: string): Promise<string | undefined> {
    return (await this.finder.find(reference, new AbortController().signal))?.digest;
  }

  /** From its registry, without a container engine. */
  async pull(image: string, transfer: TransferOptions): Promise<void> {
    const repository = await this.repository(withTag(image));
    await pullImage(repository, this.own.pulled, transfer);
  }

  async push(image: string, transfer: TransferOptions): Promise<void> {
    const { layout, descriptor, name } = await this.packed(image, transfer.signal);
    await pushImage(layout, descriptor, await this.repository(name, 'pull,push'), transfer);
  }

  /** It reads all that proxies need, for which the start of the engine need not wait. */
  private async repository(image: string, actions?: 'pull,push'): Promise<Repository> {
    const registry = await import('../../../images/oci/registry.js');
    return new registry.Repository(image, this.options.authority, actions);
  }

  async save(image: string, signal: AbortSignal): Promise<SavedImage> {
    return { tar: await saveImage(await this.packed(image, signal), signal), totalBytes: 0 };
  }

  load(image: string, tar: Readable, signal: AbortSignal): Promise<void> {
    return loadImage(this.own.committed, withTag(image), tar, signal);
  }

  async remove(image: string): Promise<void> {
    const disks = await this.disks.remove(image);
    // Nobody else knows them: what was made of them has a name of its own for it.
    for (const base of disks.map((digest) => this.baseOf(digest))) {
      await rm(`${base}.ext4`, { force: true });
      await rm(`${base}.json`, { force: true });
    }
    const packed = disks.length === 0 ? await this.own.get(image) : await this.own.find(image);
    await packed?.layout.remove(packed.name);
  }

  /** As layers, which are made of a disk when they are first asked for. */
  private async packed(image: string, signal: AbortSignal): Promise<OwnImage> {
    const disk = await this.disks.find(image);
    if (disk === undefined || (await this.own.find(image)) !== undefined) {
      return this.own.get(image);
    }
    const { name, config, without } = disk;
    const copyTo: CommitFrom['copyTo'] = async (path, options) => {
      await this.disks.flatten(disk, path, options);
    };
    const progress = (): void => undefined;
    await this.pack({ name, without, bytes: 0, copyTo }, config, name, { progress, signal });
    return this.own.get(image);
  }

  /** Makes an image of a root disk. Throws `exists` where the container engine has one of the name. */
  async commit(from: CommitFrom, image: string, { progress, signal }: TransferOptions): Promise<string> {
    if (await this.finder.engineHas(image)) {
      throw new BerthError('exists', `The container engine has an image ${image} already.`, {
        hint: 'It would be taken instead of this one: choose another name.',
        field: 'image',
      });
    }
    const config = from.config ?? (await this.known(from.imageId))?.config ?? noConfig;
    if (from.isLocal === true && (await canBeChanged(from))) {
      return this.disks.keep(image, from, config, { signal, report: reportTo(progress, from.bytes) });
    }
    const id = await this.pack(from, config, image, { progress, signal });
    // The name is taken from what had it.
    await this.disks.remove(image);
    return id;
  }

  private async pack(
    { name, without, bytes, copyTo }: Pick<CommitFrom, 'name' | 'without' | 'bytes' | 'copyTo'>,
    config: ImageConfig,
    image: string,
    { progress, signal }: TransferOptions,
  ): Promise<string> {
    const { committed } = this.own;
    const release = await committed.hold();
    const disk = await committed.scratch();
    try {
      await copyTo(disk, { report: reportTo(progress, bytes), signal });
      const made = await commitDisk({ name, disk, config, without }, committed, { progress, signal });
      await committed.tag(withTag(image), made.descriptor);
      return made.id;
    } finally {
      await rm(disk, { force: true });
      release();
    }
  }

  /** The root file system of an image, made when there is none yet. Throws `image_missing`. */
  async ensure(
    reference: string,
    progress: TransferOptions['progress'],
    signal: AbortSignal,
  ): Promise<RootImage> {
    const source = await this.finder.find(reference, signal);
    if (source === undefined || !digestPattern.test(source.digest)) {
      throw imageMissing(reference);
    }
    const known = await this.known(source.digest);
    return (
      known ??
      this.making.join(source.digest, { progress, signal }, (transfer) => this.make(source, transfer))
    );
  }

  /** One that was made, by its digest. */
  async known(digest: string): Promise<RootImage | undefined> {
    const base = this.baseOf(digest);
    const path = `${base}.ext4`;
    try {
      await stat(path);
      const about = JSON.parse(await readFile(`${base}.json`, 'utf8')) as RootFile;
      // Those of earlier versions do not say it.
      const { leftOut = [], ...config } = about;
      return { digest, path, config, leftOut };
    } catch {
      return undefined;
    }
  }

  /** By one engine at a time, as the cache may be shared; whoever comes second has what the first one made. */
  private async make(source: RootSource, transfer: TransferOptions): Promise<RootImage> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const path = `${this.baseOf(source.digest)}.ext4`;
    const lock = await lockFile(`${path}.lock`, transfer.signal, 'make a root file system');
    try {
      return (await this.known(source.digest)) ?? (await this.makeAlone(source, path, transfer));
    } finally {
      lock.release();
    }
  }

  private async makeAlone(source: RootSource, path: string, transfer: TransferOptions): Promise<RootImage> {
    const { digest } = source;
    await sweepDrafts(this.folder, abandonedAfterMs);
    const make = async (draft: string): Promise<RootImage> => {
      const { config, warnings, unlisted } = await source.make(draft, transfer);
      const leftOut = firstOf(warnings, unlisted);
      if (warnings.length > 0) {
        this.options.log.warn({ digest, warnings, unlisted }, 'left out of a root file system');
      }
      const about: RootFile = { ...config, ...(warnings.length > 0 && { leftOut }) };
      // Before the file system, so that there is one for whatever is there.
      await replaceFile(`${this.baseOf(digest)}.json`, JSON.stringify(about));
      return { digest, path, config, leftOut };
    };
    // One that is there stays, as root disks may lie over it.
    return writeWhole(path, make, { ifPresent: 'keep' });
  }

  private baseOf(digest: string): string {
    return join(this.folder, digest.slice('sha256:'.length));
  }
}

/** Files can be taken out of it: else it is packed without them. */
async function canBeChanged({ name, layer, without }: CommitFrom): Promise<boolean> {
  const superblock =
    without.length === 0 ? undefined : await readSuperblock(name, layer.base).catch(() => undefined);
  return superblock?.unwritable === undefined;
}

const reportTo =
  (progress: TransferOptions['progress'], bytes: number) =>
  (share: number): void =>
    progress({ done: Math.round(share * bytes), total: bytes, current: 'reading the disk' });
