/**
 * Containers that are frozen for a moment, so that a volume holds still. Nobody sees them paused; what wants something of
 * one waits until it goes on. A note of each lies in a folder meanwhile, with the id of its engine: whoever connects to
 * that engine next lets those go on that were left frozen.
 */
import { join } from 'node:path';
import type { RuntimeInfo } from '../../driver';
import { statusOf } from '../engine/docker-errors';
import type { Endpoint } from '../engine/endpoint';
import type { Log } from '../../../machine/log';
import { makeFolder, namesIn, readIfPresent, removeTree } from '../../../machine/files';
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
    while (containers.some(({ name }) => this.frozen.has(name))) {
      await Promise.all(containers.map(({ name }) => this.settled(name)));
    }
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

  /** Lets go on what was left frozen on the engine that answers, by an engine of ours that was killed or lost it. */
  async heal(): Promise<void> {
    const names = this.folder === undefined ? [] : await namesIn(this.folder);
    const left = names.filter((name) => containerId.test(name) && !this.frozen.has(name));
    for (const id of left) {
      if ((await this.noteOf(id)) === (await this.engineId())) {
        await this.release(id);
        this.log.info({ container: id }, 'a container went on that was left frozen');
      }
    }
  }

  private async hold<T>(all: readonly Freezable[], work: () => Promise<T>): Promise<Frozen<T>> {
    const containers = await this.withoutPaused(all);
    await this.note(containers);
    const failed: { name: string; reason: string }[] = [];
    const held = new Set(containers);
    const began = performance.now();
    let result;
    try {
      // All of them, whatever becomes of one: none may freeze after the others were let go on.
      const tried = await Promise.allSettled(
        containers.map(async (each) => {
          const outcome = await this.freeze(each);
          if (outcome !== 'frozen') {
            held.delete(each);
            await this.forget(each.id);
          }
          if (typeof outcome === 'object') {
            failed.push({ name: each.name, ...outcome });
          }
        }),
      );
      const failure = tried.find((each) => each.status === 'rejected');
      if (failure !== undefined) {
        throw failure.reason;
      }
      result = await work();
    } finally {
      // Only these: another one may have been paused by somebody. One that can't be let go on keeps its note.
      await this.releaseAll([...held]);
    }
    return { result, failed, heldMs: held.size === 0 ? 0 : Math.round(performance.now() - began) };
  }

  /** Without those that somebody has paused: no freeze of ours is under way, and a note would let them go on after a kill. */
  private async withoutPaused(containers: readonly Freezable[]): Promise<Freezable[]> {
    const isPaused = ({ id }: Freezable): Promise<boolean> =>
      this.endpoint.call('look whether a container is paused', async (docker) => {
        const found = await docker
          .getContainer(id)
          .inspect()
          .catch(() => undefined);
        return found?.State.Paused === true;
      });
    const paused = await Promise.all(containers.map(isPaused));
    return containers.filter((_, index) => paused[index] !== true);
  }

  private async releaseAll(held: readonly Freezable[]): Promise<void> {
    const results = await Promise.allSettled(held.map(({ id }) => this.release(id)));
    const failure = results.find((each) => each.status === 'rejected');
    if (failure !== undefined) {
      this.log.error({ err: failure.reason as unknown }, 'a container that was held still did not go on');
    }
  }

  /** `still`: it has ended, or somebody has paused it. Throws where nothing is known: then it may be frozen. */
  private async freeze({ id, name }: Freezable): Promise<'frozen' | 'still' | { reason: string }> {
    return this.endpoint.call(`hold ${name} still`, async (docker) => {
      const container = docker.getContainer(id);
      try {
        await container.pause();
        return 'frozen';
      } catch (error) {
        if (statusOf(error) === undefined) {
          throw error;
        }
        const found = await container.inspect().catch(() => undefined);
        const isRunning = found?.State.Running === true && !found.State.Paused;
        return isRunning ? { reason: error instanceof Error ? error.message : String(error) } : 'still';
      }
    });
  }

  /** Rejects while it is frozen still. */
  private async release(id: string): Promise<void> {
    await this.endpoint.call('let a container go on', async (docker) => {
      const container = docker.getContainer(id);
      try {
        await container.unpause();
      } catch (error) {
        const found = await container.inspect().catch((reason: unknown) => {
          if (statusOf(reason) !== 404) {
            throw reason;
          }
          return undefined;
        });
        if (found?.State.Paused === true) {
          throw error;
        }
      }
    });
    await this.forget(id);
  }

  private async note(containers: readonly Freezable[]): Promise<void> {
    if (this.folder === undefined || containers.length === 0) {
      return;
    }
    const { folder } = this;
    const engine = await this.engineId();
    await makeFolder(folder);
    await Promise.all(containers.map(({ id }) => replaceFile(join(folder, id), engine)));
  }

  private async noteOf(id: string): Promise<string | undefined> {
    return this.folder === undefined ? undefined : readIfPresent(join(this.folder, id));
  }

  private async forget(id: string): Promise<void> {
    if (this.folder !== undefined) {
      await removeTree(join(this.folder, id));
    }
  }

  /** Empty where nothing tells it from others. */
  private async engineId(): Promise<string> {
    return (await this.endpoint.identity())?.id ?? '';
  }
}
