/**
 * Root file systems of microVMs, made of the container engine's images: `images/rootfs/<digest>.ext4` in the state
 * directory, each made once, never written to afterwards.
 */
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { BerthError } from '../../../../api/errors';
import { replaceFile } from '../../../store/files';
import { buildExt4 } from '../ext4/build';
import type { RootImage, RootImages } from '../parts';

/** What the engine that has the images does for us. */
export interface ImageExporter {
  resolve(image: string): Promise<string | undefined>;
  /** The whole file system of an image, layers merged, as one tar. */
  exportFiles(image: string, signal: AbortSignal): Promise<Readable>;
  config(image: string): Promise<RootImage['config']>;
}

/** Sparse: what a workspace may install beside its home. */
const rootSizeMiB = 16_384;
const digestPattern = /^sha256:[0-9a-f]{64}$/;

export class RootImageStore implements RootImages {
  private readonly making = new Map<string, Promise<RootImage>>();
  private readonly folder: string;

  constructor(
    home: string,
    private readonly exporter: ImageExporter,
  ) {
    this.folder = join(home, 'images', 'rootfs');
  }

  resolve(reference: string): Promise<string | undefined> {
    return this.exporter.resolve(reference);
  }

  async ensure(reference: string, progress: (text: string) => void, signal: AbortSignal): Promise<RootImage> {
    const digest = await this.resolve(reference);
    if (digest === undefined || !digestPattern.test(digest)) {
      throw new BerthError('image_missing', `Image '${reference}' is not on this machine.`, {
        hint: `Pull it: \`berth image pull ${reference}\`.`,
        field: 'image',
      });
    }
    // Two that want the same one at once get the same one; whoever cancels first does so for both.
    const making = this.making.get(digest) ?? this.make(reference, digest, progress, signal);
    this.making.set(digest, making);
    try {
      return await making;
    } finally {
      this.making.delete(digest);
    }
  }

  private async make(
    reference: string,
    digest: string,
    progress: (text: string) => void,
    signal: AbortSignal,
  ): Promise<RootImage> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const base = join(this.folder, digest.slice('sha256:'.length));
    const path = `${base}.ext4`;
    const known = await this.known(`${base}.json`, path);
    if (known !== undefined) {
      return { digest, path, config: known };
    }
    progress(`Making the root file system of ${reference}`);
    const config = await this.exporter.config(reference);
    const files = await this.exporter.exportFiles(reference, signal);
    const { warnings } = await buildExt4(path, files, { sizeMiB: rootSizeMiB, label: 'root', signal });
    warnings.forEach(progress);
    await replaceFile(`${base}.json`, JSON.stringify(config));
    return { digest, path, config };
  }

  /** The configuration is written last: without it the image counts as not made. */
  private async known(configPath: string, path: string): Promise<RootImage['config'] | undefined> {
    try {
      await stat(path);
      return JSON.parse(await readFile(configPath, 'utf8')) as RootImage['config'];
    } catch {
      return undefined;
    }
  }
}
