/**
 * Images of microVMs: those of the container engine, turned into root file systems when they are first used, and
 * those that were committed or imported here. What is built for microVMs besides is the guest kit.
 */
import type { Image } from '../../../api/schemas/engine';
import type { ImageStore, PullProgress } from '../driver';
import type { GuestKits, RootImages } from './parts';

export interface MicrovmImagesParts {
  containers: ImageStore;
  roots: RootImages;
  kits: GuestKits;
  /** Called when there is a new kit. */
  built: () => void;
}

export class MicrovmImages implements ImageStore {
  constructor(private readonly parts: MicrovmImagesParts) {}

  /** What the container engine does not list itself. */
  list(): Promise<Image[]> {
    return this.parts.roots.list?.() ?? Promise.resolve([]);
  }

  resolve(image: string): Promise<string | undefined> {
    return this.parts.roots.resolve(image);
  }

  pull(image: string, progress: (p: PullProgress) => void, signal: AbortSignal): Promise<void> {
    return this.parts.containers.pull(image, progress, signal);
  }

  async build(...[options, step, line, signal]: Parameters<ImageStore['build']>): Promise<void> {
    if (!options.toolsOnly) {
      await this.parts.containers.build(options, step, line, signal);
    }
    await step('guest', 'Build the guest kit of microVMs', async () => {
      await this.parts.kits.build(line, signal);
      this.parts.built();
    });
  }
}
