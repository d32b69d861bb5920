/** MicroVMs from create to remove. */
import { randomUUID } from 'node:crypto';
import { mkdir, stat } from 'node:fs/promises';
import { BerthError } from '../../../../api/errors';
import { mebibyte } from '../../../../api/rules/sizes';
import type { Limits } from '../../../../api/workspaces/schemas';
import { parseEnvironment } from '../../../inside/session-environment';
import { throwIfCancelled } from '../../../machine/wait';
import type {
  OwnFiles,
  PlannedPort,
  PullProgress,
  RuntimeInfo,
  RuntimePlan,
  RuntimeState,
} from '../../driver';
import { changeForwards } from '../machines/forwards';
import { haltOf, RoomWatch } from '../machines/halts';
import { Leftovers } from './leftovers';
import { pressPower, type Machine } from '../machines/machine';
import type { RootImages } from '../parts';
import { makeVolumes } from './plan-volumes';
import { diskMounts, isShared } from './runtime-plan';
import { Replacements } from './replacements';
import { notRunning, toInfo } from './runtime-info';
import { RuntimeLock } from './runtime-lock';
import type { RuntimeRecord } from './runtime-record';
import type { Starter, StarterDeps } from '../machines/starter';
import type { Suspender } from '../machines/suspender';
import { warningOf } from './warnings';

const removeGraceMs = 10_000;
/** Of `st_blocks` in stat(2). */
const blockBytes = 512;

export interface RuntimesDeps extends StarterDeps {
  starter: Starter;
  suspender: Suspender;
  images: RootImages;
}

export class Runtimes {
  private readonly lock = new RuntimeLock();
  /** Their disks are theirs, though nothing runs yet. */
  private readonly starting = new Set<string>();
  private readonly tidied = new Set<string>();
  readonly replacements: Replacements;

  private readonly leftovers: Leftovers;
  private readonly room: RoomWatch;

  constructor(private readonly deps: RuntimesDeps) {
    this.leftovers = new Leftovers(deps.store, deps.log);
    this.room = new RoomWatch((name) => this.resume(name), deps.log);
    this.replacements = new Replacements({
      ...{ store: deps.store, disks: deps.disks, lock: this.lock },
      stateOf: (record) => this.stateOf(record),
      runs: async (record) => (await deps.machines.of(record)) !== undefined,
      end: (record) => this.end(record, 0),
    });
  }

  /** Takes over what runs, so that what happens to it is reported from then on. */
  async list(): Promise<RuntimeInfo[]> {
    await this.replacements.heal();
    const records = await this.deps.store.list();
    return Promise.all(
      records.map(async (record) => {
        const { name } = record.plan;
        await this.lock.runIfFree(name, async () => this.keep(await this.deps.store.find(name)));
        await this.tidy(record);
        // What came of it is on record.
        return this.look((await this.deps.store.find(record.plan.name)) ?? record);
      }),
    );
  }

  async inspect(name: string): Promise<RuntimeInfo | undefined> {
    const record = await this.deps.store.find(name);
    return record === undefined ? undefined : this.look(record);
  }

  async create(plan: RuntimePlan, signal: AbortSignal): Promise<RuntimeInfo> {
    return this.lock.runTaking(plan.name, async () => {
      const { store, disks } = this.deps;
      if ((await store.find(plan.name)) !== undefined) {
        throw new BerthError('exists', `There is a microVM ${plan.name} already.`, {
          hint: 'Remove it, or choose another name.',
        });
      }
      const made: string[] = [];
      try {
        const record = await this.build(plan, made, signal);
        return toInfo(record, 'stopped');
      } catch (error) {
        // The first error is the one that tells.
        await disks.release({ runtime: plan.name }).catch(() => undefined);
        await Promise.allSettled(made.map((volume) => disks.remove(volume)));
        await store.remove(plan.name).catch(() => undefined);
        throw error;
      }
    });
  }

  /** Boots it, unless it runs; one that is paused goes on. */
  async start(name: string, signal?: AbortSignal): Promise<RuntimeInfo> {
    return this.lock.runTaking(name, async () => {
      const { store, starter, suspender, disks } = this.deps;
      const record = await store.get(name);
      const state = await this.stateOf(record);
      if (state === 'paused') {
        await suspender.resume(record);
      } else if (state === 'stopped') {
        this.starting.add(name);
        try {
          await starter.start(record, signal);
        } catch (error) {
          // Others need not wait until it is certain that this one does not come to life.
          await disks.release({ runtime: name }).catch(() => undefined);
          throw error;
        } finally {
          this.starting.delete(name);
        }
      }
      return toInfo(await store.get(name), 'running');
    });
  }

  async stop(name: string, graceMs: number): Promise<{ killed: boolean }> {
    return this.lock.runTaking(name, async () => {
      const record = await this.deps.store.find(name);
      return { killed: record !== undefined && (await this.end(record, graceMs)) };
    });
  }

  async pause(name: string): Promise<void> {
    await this.lock.run(name, async () => {
      const record = await this.deps.store.get(name);
      if ((await this.stateOf(record)) === 'stopped') {
        throw notRunning(name, 'pause');
      }
      await this.deps.suspender.pause(record);
    });
  }

  async resume(name: string): Promise<void> {
    await this.lock.runTaking(name, async () => {
      const record = await this.deps.store.get(name);
      if ((await this.stateOf(record)) === 'stopped') {
        throw notRunning(name, 'resume');
      }
      await this.deps.suspender.resume(record);
    });
  }

  /**
   * Bundles and the root file system go with it; volumes are let go of. What runs is ended in order: what was written
   * to a volume may be in the guest's memory only.
   */
  async remove(name: string): Promise<void> {
    await this.lock.runTaking(name, async () => {
      const { store, machines, disks } = this.deps;
      const record = await store.find(name);
      if (record !== undefined) {
        await this.end(record, removeGraceMs);
      }
      await disks.release({ runtime: name });
      if (record !== undefined) {
        await store.remove(name);
        machines.report(record, 'removed');
      }
    });
  }

  /** What its overlay takes on this machine; how many files that are, only its guest could tell. */
  async ownFiles(name: string): Promise<OwnFiles | undefined> {
    const { store } = this.deps;
    if ((await store.find(name)) === undefined) {
      return undefined;
    }
    const { blocks } = await stat(store.files.of(name).rootfs);
    return { bytes: blocks * blockBytes };
  }

  /** Memory is changed live within what the machine was started with; all else takes a restart. */
  async setLimits(name: string, limits: Limits): Promise<{ needsRebuild: string[]; needsRestart: string[] }> {
    return this.lock.run(name, async () => {
      const { store, machines } = this.deps;
      const record = await store.get(name);
      const before = record.plan.limits;
      await store.change(name, { plan: { ...record.plan, limits } });
      const machine = await machines.of(record);
      if (machine === undefined || record.launch === undefined) {
        return { needsRebuild: [], needsRestart: [] };
      }
      const atMost = record.launch.memoryMiB;
      const memoryMiB = limits.memoryMiB ?? atMost;
      const changed = (['cpus', 'pids', 'shmMiB'] as const).filter(
        (limit) => limits[limit] !== before[limit],
      );
      if (memoryMiB <= atMost) {
        await machine.qmp.execute('balloon', { value: memoryMiB * mebibyte });
      }
      const needsRestart = [...changed, ...(memoryMiB > atMost ? ['memoryMiB'] : [])];
      return { needsRebuild: [], needsRestart };
    });
  }

  /** Live, also while it is paused. */
  async setPorts(name: string, ports: readonly PlannedPort[]): Promise<{ needsRebuild: string[] }> {
    return this.lock.run(name, async () => {
      const { store, machines } = this.deps;
      const record = await store.get(name);
      const machine = await machines.of(record);
      if (machine !== undefined) {
        await changeForwards(machine.qmp, record.plan.ports ?? [], ports);
      }
      await store.change(name, { plan: { ...record.plan, ports: [...ports] } });
      return { needsRebuild: [] };
    });
  }

  /** For what reads its root disk, which nobody else has meanwhile. */
  async whileStopped(name: string, work: (record: RuntimeRecord) => Promise<void>): Promise<void> {
    await this.lock.run(name, async () => {
      const record = await this.deps.store.get(name);
      if ((await this.stateOf(record)) !== 'stopped') {
        throw new BerthError('illegal_state', `${name} runs: its disk can't be read.`, {
          hint: 'Stop the workspace first.',
        });
      }
      await work(record);
    });
  }

  /**
   * For what reads its disks while it stands still; undefined when it does not, or is about to go on. What is being saved of
   * it is waited for, unless `signal` gives it up.
   */
  async whilePaused<T>(
    name: string,
    work: (record: RuntimeRecord) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    return this.lock.runUnlessTaken(name, async () => {
      const { store, suspender } = this.deps;
      await suspender.settled(name, signal);
      const record = await store.get(name);
      return (await this.stateOf(record)) === 'paused' ? work(record) : undefined;
    });
  }

  /**
   * The machine of a runtime that runs, for what happens inside of it. Throws `illegal_state` for one that doesn't,
   * `no_space` where that is what it stands still for.
   */
  async running(name: string, verb: string): Promise<Machine> {
    const record = await this.deps.store.get(name);
    const machine = await this.deps.machines.of(record);
    if (machine === undefined || (await machine.state()) !== 'running') {
      throw (machine === undefined ? undefined : await haltOf(machine, record)) ?? notRunning(name, verb);
    }
    return machine;
  }

  /** Neither does it run nor is it to go on: nobody has its disks. */
  async isGone(name: string): Promise<boolean> {
    if (this.starting.has(name)) {
      return false;
    }
    const record = await this.deps.store.find(name);
    return record === undefined || (await this.stateOf(record)) === 'stopped';
  }

  async stateOf(record: RuntimeRecord): Promise<RuntimeState> {
    const machine = await this.deps.machines.of(record);
    const state = (await machine?.state()) ?? 'stopped';
    if (state !== 'stopped') {
      return state;
    }
    return (await this.deps.suspender.isSaved(record)) ? 'paused' : 'stopped';
  }

  /** Releases what looks after machines; they run on. */
  close(): void {
    this.room.close();
  }

  private async look(record: RuntimeRecord): Promise<RuntimeInfo> {
    const { machines, store } = this.deps;
    const state = await this.stateOf(record);
    const machine = state === 'stopped' ? undefined : await machines.of(record);
    if (machine !== undefined) {
      this.room.seen(machine, record);
    }
    const halt = machine === undefined ? undefined : await haltOf(machine, record);
    const warning = machine === undefined ? undefined : warningOf(machine, record, this.deps.opensLoopback());
    // What was paused when the look began may have been resumed or stopped since.
    const now = (await store.find(record.plan.name)) ?? record;
    return {
      ...toInfo(record, state),
      ...(state === 'paused' && machine === undefined && { isSaved: true }),
      ...(warning !== undefined && { warning }),
      ...(halt !== undefined && { halt: { code: halt.code, message: halt.message, hint: halt.hint } }),
      detail: state === 'running' ? machine?.detail : await this.standingDetail(now, state),
    };
  }

  /** What is to be known of one that does not run, for people. */
  private async standingDetail(record: RuntimeRecord, state: RuntimeState): Promise<string | undefined> {
    const { suspender, kept } = this.deps;
    const detail = suspender.detailOf(record, state === 'stopped');
    return detail ?? (state === 'paused' ? await kept.detailOf(record) : undefined);
  }

  /**
   * By the power button, then by force; answers whether it took that. A paused one goes on first, as a frozen guest
   * can't end by itself.
   */
  private async end(record: RuntimeRecord, graceMs: number): Promise<boolean> {
    const { machines, suspender } = this.deps;
    if ((await this.stateOf(record)) === 'stopped') {
      return false;
    }
    const machine = graceMs > 0 ? await suspender.resume(record).catch(() => undefined) : undefined;
    const isEnding = machine !== undefined && (await pressPower(machine));
    const hasEnded = isEnding && (await machines.waitForEnd(record, graceMs));
    if (!hasEnded) {
      await machines.kill(record);
    }
    await suspender.forget(record.plan.name);
    await this.deps.starter.unshare(record);
    return !hasEnded;
  }

  private async keep(record: RuntimeRecord | undefined): Promise<void> {
    if (record !== undefined) {
      await this.leftovers.tidy(record.plan.name);
      await this.deps.suspender.keep(record);
    }
  }

  /** Once: daemons that an engine started which was killed before it had started their machine. */
  private async tidy(record: RuntimeRecord): Promise<void> {
    const { name } = record.plan;
    if (record.launch?.shares === undefined || this.tidied.has(name)) {
      return;
    }
    this.tidied.add(name);
    await this.lock.run(name, async () => {
      if ((await this.deps.machines.of(record)) === undefined) {
        await this.deps.starter.unshare(record);
      }
    });
  }

  private async build(plan: RuntimePlan, made: string[], signal: AbortSignal): Promise<RuntimeRecord> {
    const { images, host, store, shares, bases, log } = this.deps;
    await host.programs();
    // What is not known yet is found out while the root file system is made.
    host.tools().catch(() => undefined);
    const progress = (now: PullProgress): void => log.debug({ name: plan.name, ...now }, 'root file system');
    const image = await images.ensure(plan.image, progress, signal);
    throwIfCancelled(signal, `create ${plan.name}`);
    await shares.require(
      diskMounts(plan)
        .filter(isShared)
        .map(({ volume }) => volume ?? ''),
    );
    await makeVolumes(this.deps.disks, plan, made);
    const files = store.files.of(plan.name);
    await mkdir(files.folder, { recursive: true, mode: 0o700 });
    const base = await bases.make(image, files);
    const { homeVolume, dockerVolume, ...rest } = plan;
    const record: RuntimeRecord = {
      id: randomUUID(),
      plan: {
        ...{ ...rest, homeVolume, env: { ...plan.env }, mounts: [...plan.mounts] },
        ...(dockerVolume !== undefined && { dockerVolume }),
      },
      ...{ imageId: image.digest, base, config: image.config },
      env: { ...parseEnvironment(image.config.env), ...plan.env },
      createdAt: new Date().toISOString(),
    };
    await store.write(record);
    this.deps.machines.report(record, 'created');
    return record;
  }
}
