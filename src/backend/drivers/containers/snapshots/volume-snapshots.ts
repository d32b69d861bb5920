/**
 * Snapshots of the engine's volumes, in a volume of their own: plain trees that share the files that have not changed
 * from one to the next. Containers that write to the volume are frozen only while what they have changed since the copy
 * began is made good.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { asBerthError, BerthError } from '../../../../api/errors';
import type { VolumeFiles } from '../../../files/volume-files';
import { runningOn } from '../../../../api/rules/holder';
import { agentSource, snapshotModules } from '../../../inside/agent-source';
import type {
  SnapshotCheck,
  SnapshotFacts,
  SnapshotJob,
  SnapshotStore,
  VerifyOptions,
} from '../../contract/snapshots';
import { ownedLabels } from '../volumes/claims';
import { indexHolders } from '../volumes/volume-info';
import type { Connection, Endpoint } from '../engine/endpoint';
import type { Helpers } from '../engine/helpers';
import { isInternalContainer, label, volumeRole } from '../engine/labels';
import type { Ownership } from '../engine/ownership';
import { keeperEngineLabel } from '../volumes/keeper-container';
import type { Keepers } from '../volumes/keeper';
import { nameOf } from '../runtime/runtime-info';
import type { Freezable, Freezes } from '../runtime/freezes';
import { checkOf, factsOf, heldBy, isRecord, lossesOf, report } from './answers';
import { noRoom, SnapshotProgram, type Answer } from './program';
import { KeyedLock } from '../../../machine/keyed-lock';
import type { Log } from '../../../machine/log';
import type { StoreVolume } from './store-volume';
import type { Unfinished } from './unfinished';

export interface VolumeSnapshotsDeps {
  endpoint: Endpoint;
  ownership: Ownership;
  helpers: Helpers;
  keepers: () => Promise<Keepers>;
  freezes: Freezes;
  log: Log;
  store: StoreVolume;
  /** Volumes in which a restore was begun, and not seen to end. */
  unfinished: Unfinished;
  image: string;
  /** The folder `images/tools/agent`. */
  agentDirectory: string;
}

interface Held {
  /** The engine that was asked. */
  connection: Connection;
  bytes: Promise<ReadonlyMap<string, number>>;
}

/** No workspace is held still for longer: then there is no snapshot. */
const maxHoldMs = 60_000;
/** A copy that took longer is gone over once more before anybody is held still. */
const longMs = 3_000;
/** The program of a killed engine may still be in the middle of it. */
const healAttempts = 50;
const healPauseMs = 200;

export class VolumeSnapshots implements SnapshotStore {
  /** Nobody starts on a volume, or opens it, while it is put back or held still. */
  private readonly closed = new Map<string, Promise<void>>();
  private readonly lock = new KeyedLock();
  /** What each takes, until one comes or goes. */
  private held: Held | undefined;
  /** How often one has come or gone. */
  private changes = 0;

  constructor(private readonly deps: VolumeSnapshotsDeps) {}

  /**
   * Resolves when the volume is neither being put back nor held still, and what a killed engine had begun of that is
   * finished.
   */
  async settled(volume: string): Promise<void> {
    await this.closed.get(volume);
    if (await this.deps.unfinished.has(volume)) {
      await this.lock.run(volume, () => this.finish(volume));
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
    return this.lock.run(volume, async () => {
      await this.finish(volume);
      await this.refuseRunning(volume);
      if ((await this.heldBytes(id)) === undefined) {
        throw new BerthError('not_found', `There is no snapshot ${id}: its files are gone.`);
      }
      await (before === undefined ? undefined : this.refuseUnkeepable(volume));
      return this.withProgram({ name: volume, isReadOnly: false }, job.signal, async (program) => {
        if (before !== undefined) {
          const copy = (): Promise<SnapshotFacts> => this.copy(program, volume, before.id, job);
          await before.kept(await this.changing(program, copy));
        }
        return this.closing(volume, () => this.putBack(program, id, volume, job));
      });
    });
  }

  async remove(id: string): Promise<void> {
    if ((await this.deps.store.existing()) === undefined) {
      return;
    }
    await (await this.deps.keepers()).closeSnapshot(id);
    const before = this.changes;
    const { done } = await this.withProgram(undefined, undefined, (program) =>
      this.changing(program, () => program.ask({ op: 'remove', id }, 'done')),
    );
    // What it has counted holds only where nothing else was made or removed since it began.
    const isAlone = (): boolean => this.changes === before + 1;
    if (isRecord(done) && (done.left === 0 || !isAlone())) {
      const count = async (store: string): Promise<number> => (await this.heldIn(store)).size;
      await this.deps.store.drop(async (store) => (isAlone() ? 0 : count(store)));
    }
  }

  async verify(id: string, { full }: VerifyOptions, job: SnapshotJob): Promise<SnapshotCheck> {
    await this.files(id);
    const { done } = await this.withProgram(undefined, job.signal, (program) =>
      program.ask({ op: 'verify', id, full }, 'done', (answer) => report(answer, job)),
    );
    return checkOf(done);
  }

  async heldBytes(id: string): Promise<number | undefined> {
    const connection = await this.deps.endpoint.connect();
    if (this.held?.connection !== connection) {
      this.held = { connection, bytes: this.lookUp() };
    }
    const { held } = this;
    try {
      return (await held.bytes).get(id);
    } catch (error) {
      this.held = this.held === held ? undefined : this.held;
      throw error;
    }
  }

  /** The files of a snapshot, to be read. Throws `not_found`. */
  async files(id: string): Promise<VolumeFiles> {
    const store = await this.deps.store.existing();
    if (store === undefined || (await this.heldBytes(id)) === undefined) {
      throw new BerthError('not_found', `There is no snapshot ${id}: its files are gone.`);
    }
    return (await this.deps.keepers()).snapshotFiles(store, id);
  }

  /** Whoever wants to use the volume meanwhile waits. */
  private async closing<T>(volume: string, work: () => Promise<T>): Promise<T> {
    const done = work();
    const over = done.then(
      () => undefined,
      () => undefined,
    );
    this.closed.set(volume, over);
    try {
      return await done;
    } finally {
      this.closed.delete(volume);
    }
  }

  private async putBack(
    program: SnapshotProgram,
    id: string,
    volume: string,
    job: SnapshotJob,
  ): Promise<readonly string[]> {
    job.signal.throwIfAborted();
    await (await this.deps.keepers()).release(volume);
    await program.ask({ op: 'restore', id, volume }, 'filled', (answer) => report(answer, job));
    // The copy may have taken long.
    await this.refuseRunning(volume);
    await this.deps.unfinished.add(volume);
    const { done } = await program.ask({ op: 'swap' }, 'done');
    await this.deps.unfinished.remove(volume);
    return lossesOf(done);
  }

  /** What a killed engine had begun to put back. Within the lock of the volume. */
  private async finish(volume: string): Promise<void> {
    if (!(await this.deps.unfinished.has(volume))) {
      return;
    }
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.withProgram({ name: volume, isReadOnly: false }, undefined, (program) =>
          program.ask({ op: 'heal' }, 'done'),
        );
        break;
      } catch (error) {
        if (asBerthError(error).code !== 'in_use' || attempt === healAttempts) {
          throw error;
        }
        await sleep(healPauseMs);
      }
    }
    await this.deps.unfinished.remove(volume);
  }

  private async keep(volume: string, id: string, job: SnapshotJob): Promise<SnapshotFacts> {
    await this.refuseUnkeepable(volume);
    await this.finish(volume);
    return this.withProgram({ name: volume, isReadOnly: true }, job.signal, (program) =>
      this.changing(program, () => this.copy(program, volume, id, job)),
    );
  }

  /** One comes or goes. The program that does it is there, and is asked what each takes then: that is a container less. */
  private async changing<T>(program: SnapshotProgram, work: () => Promise<T>): Promise<T> {
    const connection = await this.deps.endpoint.connect();
    let result;
    try {
      result = await work();
    } finally {
      this.changes += 1;
      this.held = undefined;
    }
    const { changes } = this;
    try {
      const bytes = heldBy(await program.ask({ op: 'held' }, 'done'));
      this.held = changes === this.changes ? { connection, bytes: Promise.resolve(bytes) } : this.held;
    } catch (error) {
      this.deps.log.debug({ err: error }, 'what snapshots take is not known yet');
    }
    return result;
  }

  private async copy(
    program: SnapshotProgram,
    volume: string,
    id: string,
    job: SnapshotJob,
  ): Promise<SnapshotFacts> {
    let total = 0;
    const meanwhile = (answer: Answer): void => {
      const refusal = noRoom(volume, answer);
      if (refusal !== undefined) {
        throw refusal;
      }
      total = typeof answer.wanted === 'number' ? answer.wanted : total;
      report(answer, job, total);
    };
    const began = performance.now();
    await program.ask({ op: 'create', id, volume }, 'filled', meanwhile);
    if (performance.now() - began > longMs) {
      await program.ask({ op: 'again' }, 'filled', meanwhile);
    }
    const [frozen, others] = await this.closing(volume, async () => {
      const writers = await this.writersOf(volume);
      const settle = (): Promise<Answer> =>
        within(program.ask({ op: 'settle' }, 'settled', meanwhile), volume);
      return [await this.deps.freezes.during(writers.ours, settle), writers.others] as const;
    });
    const { done } = await program.ask({ op: 'finish' }, 'done', meanwhile);
    return factsOf(done, frozen, others);
  }

  private withProgram<T>(
    volume: { name: string; isReadOnly: boolean } | undefined,
    signal: AbortSignal | undefined,
    use: (program: SnapshotProgram) => Promise<T>,
  ): Promise<T> {
    return this.deps.store.use((store) => this.withProgramOf(store, volume, signal, use));
  }

  private async withProgramOf<T>(
    store: string,
    volume: { name: string; isReadOnly: boolean } | undefined,
    signal: AbortSignal | undefined,
    use: (program: SnapshotProgram) => Promise<T>,
  ): Promise<T> {
    const { endpoint, helpers, image, agentDirectory, log } = this.deps;
    signal?.throwIfAborted();
    const program = await SnapshotProgram.start(endpoint, {
      ...{ image, labels: helpers.labels('snapshot'), store },
      source: await agentSource(agentDirectory, snapshotModules),
      ...(volume !== undefined && { volume }),
    });
    const cancel = (): void => program.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      if (signal?.aborted === true) {
        cancel();
      }
      return await use(program);
    } finally {
      signal?.removeEventListener('abort', cancel);
      // What came of it stands. One that stays is removed by the next engine.
      await program.close().catch((error: unknown) => {
        log.warn({ err: error }, 'a container that worked on snapshots is left');
      });
    }
  }

  private async lookUp(): Promise<ReadonlyMap<string, number>> {
    const isThere = (await this.deps.store.existing()) !== undefined;
    return isThere ? this.deps.store.use((store) => this.heldIn(store)) : new Map();
  }

  private async heldIn(store: string): Promise<ReadonlyMap<string, number>> {
    return this.withProgramOf(store, undefined, undefined, async (program) =>
      heldBy(await program.ask({ op: 'held' }, 'done')),
    );
  }

  /**
   * Everything that may change the volume now: workspaces that run, what moves files into it, and what is not ours. One that is
   * paused may be so for another snapshot alone, and go on in the middle of this one.
   */
  private async writersOf(volume: string): Promise<{ ours: Freezable[]; others: string[] }> {
    const { endpoint, ownership } = this.deps;
    return endpoint.call(`look who uses the volume ${volume}`, async (docker) => {
      const filters = { volume: [volume], status: ['running', 'paused'] };
      const found = await docker.listContainers({ filters });
      const writers = found
        .filter(({ Labels: labels, Mounts: mounts }) => {
          const isWriter = mounts.some(({ Name: name, RW: isWritable }) => name === volume && isWritable);
          return isWriter && labels[label.role] !== 'snapshot';
        })
        .map(({ Id: id, Names: names, Labels: labels, State: state }) => ({
          ...{ id, name: nameOf(names[0] ?? id), isRunning: state === 'running' },
          isOurs: labels[keeperEngineLabel] === ownership.id || ownership.isOurRuntime(labels),
        }));
      return {
        ours: writers.filter(({ isOurs }) => isOurs),
        others: writers.filter(({ isOurs, isRunning }) => !isOurs && isRunning).map(({ name }) => name),
      };
    });
  }

  private async refuseRunning(volume: string): Promise<void> {
    await this.labelsOf(volume);
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

  /** The overlays of Docker inside have marks that only the machine's administrator can see: they would be lost unseen. */
  private async refuseUnkeepable(volume: string): Promise<void> {
    if (volumeRole(volume, await this.labelsOf(volume)).role === 'docker') {
      throw new BerthError(
        'not_supported',
        `${volume} holds the data of Docker inside of a workspace: there are no snapshots of it.`,
        { hint: 'Images can be built and pulled again; keep files in the home or in a volume of their own.' },
      );
    }
  }

  /** Throws `not_found`, and for one that is not for this installation. */
  private async labelsOf(volume: string): Promise<Record<string, string>> {
    const labels = await this.deps.endpoint.call(`look at the volume ${volume}`, (docker) =>
      ownedLabels(docker, volume),
    );
    if (labels === undefined) {
      throw new BerthError('not_found', `There is no volume ${volume}.`);
    }
    this.deps.ownership.refuseMount(volume, labels);
    return labels;
  }
}

/** Rejects with `timeout` when workspaces would be held still for too long. */
async function within<T>(work: Promise<T>, volume: string): Promise<T> {
  const ended = new AbortController();
  const tooLong = sleep(maxHoldMs, undefined, { signal: ended.signal }).then(() => {
    throw new BerthError(
      'timeout',
      `No snapshot of ${volume} was made: what changes in it took longer than ${maxHoldMs / 1000} s to copy.`,
      { hint: 'Stop its workspace first, or try again when it writes less.' },
    );
  });
  tooLong.catch(() => undefined);
  try {
    return await Promise.race([work, tooLong]);
  } finally {
    ended.abort();
  }
}
