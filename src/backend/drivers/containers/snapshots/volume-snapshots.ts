/**
 * Snapshots of the engine's volumes, in a volume of their own: plain trees that share the files that have not changed
 * from one to the next. Containers that write to the volume are frozen only while what they have changed since the copy
 * began is made good.
 */
import { BerthError } from '../../../../api/errors';
import type { VolumeFiles } from '../../../files/volume-files';
import { runningOn } from '../../../../api/rules/holder';
import { agentSource, snapshotModules } from '../../../inside/agent-source';
import type { SnapshotFacts, SnapshotJob, SnapshotStore } from '../../contract/snapshots';
import { ownedLabels } from '../volumes/claims';
import { indexHolders } from '../volumes/volume-info';
import type { Endpoint } from '../engine/endpoint';
import type { Helpers } from '../engine/helpers';
import { isInternalContainer, label } from '../engine/labels';
import type { Ownership } from '../engine/ownership';
import { keeperLabel } from '../volumes/keeper-container';
import type { Keepers } from '../volumes/keeper';
import { nameOf } from '../runtime/runtime-info';
import type { Freezable, Freezes, Frozen } from '../runtime/freezes';
import { noRoom, SnapshotProgram, type Answer } from './program';
import { KeyedLock } from '../../../machine/keyed-lock';
import type { StoreVolume } from './store-volume';
import type { Unfinished } from './unfinished';

export interface VolumeSnapshotsDeps {
  endpoint: Endpoint;
  ownership: Ownership;
  helpers: Helpers;
  keepers: () => Promise<Keepers>;
  freezes: Freezes;
  store: StoreVolume;
  /** Volumes in which a restore was begun, and not seen to end. */
  unfinished: Unfinished;
  image: string;
  /** The folder `images/tools/agent`. */
  agentDirectory: string;
}

type Held = ReadonlyMap<string, number>;

export class VolumeSnapshots implements SnapshotStore {
  /** Nobody opens a volume that is being put back. */
  private readonly restoring = new Map<string, Promise<void>>();
  private readonly lock = new KeyedLock();
  /** What each takes, until one comes or goes. */
  private held: Promise<Held> | undefined;

  constructor(private readonly deps: VolumeSnapshotsDeps) {}

  /** Resolves when the volume is not being put back, and what a killed engine had begun of that is finished. */
  async settled(volume: string): Promise<void> {
    await this.restoring.get(volume);
    if (await this.deps.unfinished.has(volume)) {
      await this.finish(volume);
    }
  }

  create(volume: string, id: string, job: SnapshotJob): Promise<SnapshotFacts> {
    return this.lock.run(volume, () => this.keep(volume, id, job));
  }

  restore(
    id: string,
    volume: string,
    job: SnapshotJob,
    before?: { id: string; kept: (facts: SnapshotFacts) => Promise<void> },
  ): Promise<readonly string[]> {
    const work = this.lock.run(volume, async () => {
      await this.refuseRunning(volume);
      if ((await this.heldBytes(id)) === undefined) {
        throw new BerthError('not_found', `There is no snapshot ${id}: its files are gone.`);
      }
      if (before !== undefined) {
        await before.kept(await this.keep(volume, before.id, job));
      }
      await (await this.deps.keepers()).release(volume);
      await this.refuseRunning(volume);
      await this.deps.unfinished.add(volume);
      const { done } = await this.withProgram({ name: volume, isReadOnly: false }, job.signal, (program) =>
        program.ask({ op: 'restore', id, volume }, 'done', (answer) => report(answer, job)),
      );
      await this.deps.unfinished.remove(volume);
      return lossesOf(done);
    });
    const over = work.then(
      () => undefined,
      () => undefined,
    );
    this.restoring.set(volume, over);
    void over.then(() => this.restoring.get(volume) === over && this.restoring.delete(volume));
    return work;
  }

  async remove(id: string): Promise<void> {
    if ((await this.deps.store.existing()) === undefined) {
      return;
    }
    await (await this.deps.keepers()).closeSnapshot(id);
    const ask = (program: SnapshotProgram): Promise<Answer> => program.ask({ op: 'remove', id }, 'done');
    const { done } = await this.withProgram(undefined, undefined, ask);
    this.held = undefined;
    if (isRecord(done) && done.left === 0) {
      await this.deps.store.drop();
    }
  }

  /** Undefined also where no engine answers. */
  async heldBytes(id: string): Promise<number | undefined> {
    const held = (this.held ??= this.lookUp());
    try {
      return (await held).get(id);
    } catch (error) {
      this.held = undefined;
      throw error;
    }
  }

  async files(id: string): Promise<VolumeFiles> {
    const store = await this.deps.store.existing();
    if (store === undefined || (await this.heldBytes(id)) === undefined) {
      throw new BerthError('not_found', `There is no snapshot ${id}: its files are gone.`);
    }
    return (await this.deps.keepers()).snapshotFiles(store, id);
  }

  /** Whoever opens a volume finishes the swap that was under way in it. */
  private async finish(volume: string): Promise<void> {
    const keepers = await this.deps.keepers();
    await (await keepers.files(volume)).stat('/');
    await this.deps.unfinished.remove(volume);
  }

  private async keep(volume: string, id: string, job: SnapshotJob): Promise<SnapshotFacts> {
    await this.refuseForeign(volume);
    if (await this.deps.unfinished.has(volume)) {
      await this.finish(volume);
    }
    try {
      return await this.withProgram({ name: volume, isReadOnly: true }, job.signal, async (program) => {
        let total = 0;
        const meanwhile = (answer: Answer): void => {
          const refusal = noRoom(volume, answer);
          if (refusal !== undefined) {
            throw refusal;
          }
          total = typeof answer.wanted === 'number' ? answer.wanted : total;
          report(answer, job, total);
        };
        await program.ask({ op: 'create', id, volume }, 'filled', meanwhile);
        const { ours, others } = await this.writersOf(volume);
        const frozen = await this.deps.freezes.during(ours, () =>
          program.ask({ op: 'settle' }, 'settled', meanwhile),
        );
        const { done } = await program.ask({ op: 'finish' }, 'done', meanwhile);
        return factsOf(done, frozen, others);
      });
    } finally {
      this.held = undefined;
    }
  }

  private async withProgram<T>(
    volume: { name: string; isReadOnly: boolean } | undefined,
    signal: AbortSignal | undefined,
    use: (program: SnapshotProgram) => Promise<T>,
  ): Promise<T> {
    const { endpoint, helpers, image, agentDirectory, store } = this.deps;
    signal?.throwIfAborted();
    const source = await agentSource(agentDirectory, snapshotModules);
    const program = await store.with((name) =>
      SnapshotProgram.start(endpoint, {
        ...{ image, labels: helpers.labels('snapshot'), store: name, source },
        ...(volume !== undefined && { volume }),
      }),
    );
    const cancel = (): void => program.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      if (signal?.aborted === true) {
        cancel();
      }
      return await use(program);
    } finally {
      signal?.removeEventListener('abort', cancel);
      await program.close();
    }
  }

  private async lookUp(): Promise<Held> {
    if ((await this.deps.store.existing()) === undefined) {
      return new Map();
    }
    const { done } = await this.withProgram(undefined, undefined, (program) =>
      program.ask({ op: 'held' }, 'done'),
    );
    const held: unknown = isRecord(done) ? done.held : undefined;
    const rows = Object.entries(isRecord(held) ? held : {});
    return new Map(rows.flatMap(([id, bytes]) => (typeof bytes === 'number' ? [[id, bytes]] : [])));
  }

  /** Everything that may change the volume now: workspaces that run, what moves files into it, and what is not ours. */
  private async writersOf(volume: string): Promise<{ ours: Freezable[]; others: string[] }> {
    const { endpoint, ownership } = this.deps;
    return endpoint.call(`look who uses the volume ${volume}`, async (docker) => {
      const filters = { volume: [volume], status: ['running'] };
      const found = await docker.listContainers({ filters });
      const writers = found
        .filter(({ Labels: labels, Mounts: mounts }) => {
          const isWriter = mounts.some(({ Name: name, RW: isWritable }) => name === volume && isWritable);
          return isWriter && labels[label.role] !== 'snapshot';
        })
        .map(({ Id: id, Names: names, Labels: labels }) => ({
          ...{ id, name: nameOf(names[0] ?? id) },
          isOurs: labels[keeperLabel] !== undefined || ownership.isOurRuntime(labels),
        }));
      return {
        ours: writers.filter(({ isOurs }) => isOurs),
        others: writers.filter(({ isOurs }) => !isOurs).map(({ name }) => name),
      };
    });
  }

  private async refuseRunning(volume: string): Promise<void> {
    await this.refuseForeign(volume);
    const holders = await this.deps.endpoint.call(`look who uses the volume ${volume}`, async (docker) => {
      const all = await docker.listContainers({ all: true, filters: { volume: [volume] } });
      const running = all.filter(
        ({ State: state, Labels: labels }) =>
          ['running', 'paused', 'restarting'].includes(state) && !isInternalContainer(labels),
      );
      return indexHolders(running, this.deps.ownership).get(volume) ?? [];
    });
    if (holders.length > 0) {
      throw runningOn({ name: volume, kind: 'docker', holders });
    }
  }

  private async refuseForeign(volume: string): Promise<void> {
    const labels = await this.deps.endpoint.call(`look at the volume ${volume}`, (docker) =>
      ownedLabels(docker, volume),
    );
    if (labels === undefined) {
      throw new BerthError('not_found', `There is no volume ${volume}.`);
    }
    this.deps.ownership.refuseMount(volume, labels);
  }
}

function report(answer: Answer, job: SnapshotJob, total = 0): void {
  if (typeof answer.progress === 'number') {
    job.report(answer.progress, Math.max(total, answer.progress));
  }
}

/** `others`: containers that are not ours to hold. */
function factsOf(done: unknown, frozen: Frozen<unknown>, others: readonly string[]): SnapshotFacts {
  const { used } = isRecord(done) ? done : {};
  const notes = [
    ...frozen.failed.map(({ name, reason }) => `${name} was not held still meanwhile: ${reason}`),
    ...others.map((name) => `the container ${name}, which Berth did not make, may have written meanwhile`),
    ...lossesOf(done),
  ];
  return {
    kind: 'docker',
    isShared: false,
    usedBytes: typeof used === 'number' ? used : 0,
    heldMs: frozen.heldMs,
    ...(notes.length > 0 && { notes }),
  };
}

function lossesOf(done: unknown): string[] {
  return isRecord(done) && Array.isArray(done.left) ? done.left.flatMap(lossWords) : [];
}

/** `[what, how many, where first]`. */
function lossWords(row: unknown): string[] {
  const [what, count, first] = Array.isArray(row) ? (row as unknown[]) : [];
  return typeof what === 'string' && typeof count === 'number'
    ? [`${count} × ${what} could not be kept, first of ${String(first)}`]
    : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
