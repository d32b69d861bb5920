/**
 * Images of microVMs: those of the container engine, turned into root file systems when they are first used, and
 * those of our own, which were committed, or pulled without an engine. What is built for microVMs besides is the
 * guest kit.
 */
import type { Readable } from 'node:stream';
import { BerthError } from '../../../../api/errors';
import type { Image } from '../../../../api/engine/schemas';
import type { ImageStore, PullProgress, SavedImage } from '../../driver';
import type { GuestKits, ImageArchive, RootImages } from '../parts';

export interface MicrovmImagesDeps {
  containers: ImageStore;
  roots: RootImages;
  kits: GuestKits;
  /** Called when there is a new kit. */
  built: () => void;
}

type Progress = (p: PullProgress) => void;

export class MicrovmImages implements ImageStore {
  constructor(private readonly deps: MicrovmImagesDeps) {}

  /** What the container engine does not list itself. */
  list(): Promise<Image[]> {
    return this.deps.roots.archive?.list() ?? Promise.resolve([]);
  }

  resolve(image: string): Promise<string | undefined> {
    return this.deps.roots.resolve(image);
  }

  /** By the container engine, so that containers have it too; by ourselves where none answers. */
  async pull(image: string, progress: Progress, signal: AbortSignal): Promise<void> {
    const { containers, roots } = this.deps;
    const hasEngine = await containers.resolve(image).then(
      () => true,
      () => false,
    );
    await (hasEngine || roots.archive === undefined
      ? containers.pull(image, progress, signal)
      : roots.archive.pull(image, { progress, signal }));
  }

  /** Makes the root file system, the part of a create that takes long. */
  async prepare(image: string, progress: Progress, signal: AbortSignal): Promise<readonly string[]> {
    return (await this.deps.roots.ensure(image, progress, signal)).leftOut;
  }

  push(image: string, progress: Progress, signal: AbortSignal): Promise<void> {
    return this.archive().push(image, { progress, signal });
  }

  save(image: string, signal: AbortSignal): Promise<SavedImage> {
    return this.archive().save(image, signal);
  }

  load(image: string, tar: Readable, signal: AbortSignal): Promise<void> {
    return this.archive().load(image, tar, signal);
  }

  remove(image: string): Promise<void> {
    return this.archive().remove(image);
  }

  async build(...[options, step, line, signal]: Parameters<ImageStore['build']>): Promise<void> {
    if (!options.toolsOnly) {
      await this.deps.containers.build(options, step, line, signal);
    }
    if (options.imageOnly === true) {
      return;
    }
    await step('guest', 'Prepare the kernel of microVMs', async () => {
      await this.deps.kits.build(line, signal);
      this.deps.built();
    });
  }

  private archive(): ImageArchive {
    const { archive } = this.deps.roots;
    if (archive === undefined) {
      throw new BerthError('not_supported', 'This engine has no image store for microVMs.');
    }
    return archive;
  }
}
