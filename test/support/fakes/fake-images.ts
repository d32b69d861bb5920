import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Image } from '../../../src/api/engine/schemas';
import type { ImageBuild, ImageStore, PullProgress, SavedImage } from '../../../src/backend/drivers/driver';

export type Act = (verb: string, of: string, signal?: AbortSignal) => Promise<void>;

export class FakeImages implements ImageStore {
  readonly known = new Map([['workspace:latest', 'sha256:workspace']]);
  readonly built: ImageBuild[] = [];

  constructor(private readonly act: Act) {}

  async list(): Promise<Image[]> {
    await this.act('images.list', '');
    const common = { sizeBytes: 1, createdAt: '2026-01-01T00:00:00.000Z', usedBy: [] };
    return [...this.known].map(([tag, id]) => ({ id, tags: [tag], ...common }));
  }

  async resolve(name: string): Promise<string | undefined> {
    await this.act('resolve', name);
    return this.known.get(name);
  }

  async pull(name: string, progress: (p: PullProgress) => void, signal: AbortSignal): Promise<void> {
    progress({ done: 1, total: 2, current: 'layer' });
    await this.act('pull', name, signal);
    this.known.set(name, `sha256:${name}`);
  }

  async push(name: string, _progress: (p: PullProgress) => void, signal: AbortSignal): Promise<void> {
    await this.act('push', name, signal);
  }

  async save(name: string, signal: AbortSignal): Promise<SavedImage> {
    await this.act('save', name, signal);
    return { tar: Readable.from([Buffer.from(name)]), totalBytes: 1 };
  }

  async load(name: string, tar: Readable, signal: AbortSignal): Promise<void> {
    await buffer(tar);
    await this.act('load', name, signal);
    this.known.set(name, `sha256:${name}`);
  }

  async remove(name: string): Promise<void> {
    await this.act('remove image', name);
    this.known.delete(name);
  }

  async build(
    options: ImageBuild,
    step: <T>(name: string, title: string, run: () => Promise<T>) => Promise<T>,
    line: (text: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    await step('tools', 'Build the tools', async () => {
      line('Step 1');
      await this.act('build', '', signal);
    });
    this.built.push(options);
    this.known.set('workspace:latest', 'sha256:workspace');
  }
}
