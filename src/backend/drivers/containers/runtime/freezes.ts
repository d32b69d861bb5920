/**
 * Containers that are frozen for a moment, so that a volume holds still. Nobody sees them paused; what wants something of
 * one waits until it goes on. A note of each lies in a folder meanwhile: the next engine thaws what one that was killed
 * has left frozen.
 */
import { join } from 'node:path';
import type { RuntimeInfo } from '../../driver';
import { isStatus } from '../engine/docker-errors';
import type { Endpoint } from '../engine/endpoint';
import type { Log } from '../../../machine/log';
import { makeFolder, namesIn, removeTree } from '../../../machine/files';
import { replaceFile } from '../../../machine/whole-file';

const containerId = /^[0-9a-f]{64}$/;

export interface Freezable {
  id: string;
  name: string;
}

/** What came of it: `heldMs` is how long they were frozen; `failed` could not be, and went on. */
export interface Frozen<T> {
  result: T;
  heldMs: number;
  failed: readonly { name: string; reason: string }[];
}

export class Freezes {
  /** By id and by name: resolves when it goes on. */
  private readonly frozen = new Map<string, Promise<void>>();

  constructor(
    private readonly endpoint: Endpoint,
    /** For the notes. */
    private readonly folder: string | undefined,
    private readonly log: Log,
  ) {}

  /** Freezes them, works, and lets them go on, whatever comes of it. They run when it is called. */
  async during<T>(containers: readonly Freezable[], work: () => Promise<T>): Promise<Frozen<T>> {
    await Promise.all(containers.map(({ name }) => this.settled(name)));
    const held = Promise.resolve().then(() => this.hold(containers, work));
    const over = held.then(
      () => undefined,
      () => undefined,
    );
    for (const { id, name } of containers) {
      this.frozen.set(id, over).set(name, over);
    }
    try {
      return await held;
    } finally {
      for (const { id, name } of containers) {
        this.frozen.delete(id);
        this.frozen.delete(name);
      }
    }
  }

  /** Resolves when a container, by its id or name, is not frozen for a moment, or no longer. */
  async settled(container: string): Promise<void> {
    await this.frozen.get(container);
  }

  /** As it is without the freeze. */
  seen(info: RuntimeInfo): RuntimeInfo {
    return info.state === 'paused' && this.frozen.has(info.id) ? { ...info, state: 'running' } : info;
  }

  /** Lets go on what an engine that was killed has left frozen. */
  async heal(): Promise<void> {
    if (this.folder === undefined) {
      return;
    }
    for (const id of (await namesIn(this.folder)).filter((name) => containerId.test(name))) {
      if (!this.frozen.has(id)) {
        await this.thaw(id);
        await this.forget(id);
        this.log.info({ container: id }, 'a container went on that was left frozen');
      }
    }
  }

  private async hold<T>(containers: readonly Freezable[], work: () => Promise<T>): Promise<Frozen<T>> {
    await this.note(containers);
    const failed: { name: string; reason: string }[] = [];
    const held: Freezable[] = [];
    const began = performance.now();
    let result;
    try {
      await Promise.all(containers.map((each) => this.freeze(each, held, failed)));
      result = await work();
    } finally {
      // Only these: another one may have been paused by somebody.
      await Promise.all(held.map(({ id }) => this.thaw(id)));
    }
    const heldMs = held.length === 0 ? 0 : Math.round(performance.now() - began);
    await Promise.all(containers.map(({ id }) => this.forget(id)));
    return { result, failed, heldMs };
  }

  /** One that has ended meanwhile needs no freeze. */
  private async freeze(
    each: Freezable,
    held: Freezable[],
    failed: Frozen<void>['failed'][number][],
  ): Promise<void> {
    try {
      await this.endpoint.call(`hold ${each.name} still`, (docker) => docker.getContainer(each.id).pause());
      held.push(each);
    } catch (error) {
      if ((await this.stateOf(each.id)) === 'running') {
        failed.push({ name: each.name, reason: error instanceof Error ? error.message : String(error) });
      }
    }
  }

  private async thaw(id: string): Promise<void> {
    await this.endpoint.call('let a container go on', async (docker) => {
      try {
        await docker.getContainer(id).unpause();
      } catch (error) {
        // Gone, ended, or never frozen.
        if (!isStatus(error, 304, 404, 409, 500)) {
          throw error;
        }
      }
    });
  }

  private async stateOf(id: string): Promise<string> {
    return this.endpoint.call('look at a container', async (docker) => {
      const found = await docker
        .getContainer(id)
        .inspect()
        .catch(() => undefined);
      return found?.State.Status ?? 'gone';
    });
  }

  private async note(containers: readonly Freezable[]): Promise<void> {
    if (this.folder === undefined || containers.length === 0) {
      return;
    }
    const { folder } = this;
    await makeFolder(folder);
    await Promise.all(containers.map(({ id, name }) => replaceFile(join(folder, id), name)));
  }

  private async forget(id: string): Promise<void> {
    if (this.folder !== undefined) {
      await removeTree(join(this.folder, id));
    }
  }
}
