/**
 * Copies of disks that a machine has, as they were at one moment: of one that runs through QEMU, its guest's file system frozen
 * for that moment; of one that is paused from the file, which nobody writes to. Whoever pauses or ends a machine does not wait
 * for its copies: they are given up.
 */
import { rm } from 'node:fs/promises';
import { BerthError } from '../../../../api/errors';
import { mebibyte } from '../../../../api/rules/sizes';
import { readSuperblock } from '../../../ext4/fitness';
import { Superblock, superblockOffset, superblockSize } from '../../../ext4/structures/superblock';
import { draftOf } from '../../../machine/drafts';
import { freeBytesIn, takenBytes } from '../../../machine/free-space';
import { cloneFile } from '../../../machine/copies';
import { KeyedLock } from '../../../machine/keyed-lock';
import type { Log } from '../../../machine/log';
import { runWell } from '../../../machine/run';
import type { SnapshotJob } from '../../contract/snapshots';
import type { Machine } from '../machines/machine';
import type { Machines } from '../machines/machines';
import { convertDisk, copyOverlay, type FileDisk, type NbdDisk } from '../rootfs/convert';
import { readOwnStart } from '../rootfs/overlay';
import type { HeldCopy } from '../parts';
import { diskMounts } from '../runtimes/runtime-plan';
import type { Launch, RuntimeRecord } from '../runtimes/runtime-record';
import type { RuntimeStore } from '../runtimes/runtime-store';
import { DiskView } from './disk-view';
import { whileFrozen } from './guest-freeze';

const toolTimeoutMs = 30_000;
/** What is left where the scratch file lies when it has no room. */
const nearlyFullBytes = 16 * mebibyte;

export interface LiveCopiesDeps {
  store: RuntimeStore;
  machines: Pick<Machines, 'of'>;
  /** Calls back while a runtime is paused and stays so; undefined when it is not. */
  whilePaused: <T>(
    name: string,
    work: (record: RuntimeRecord) => Promise<T>,
    signal: AbortSignal,
  ) => Promise<T | undefined>;
  qemuImg: () => Promise<string>;
  log: Log;
}

/** A disk of a machine, and where its guest has it. */
interface AttachedDisk {
  serial: string;
  target: string;
  /** Of an overlay only what it has of its own is copied. */
  isLayer?: boolean;
}

/** A copy that is being made. */
interface Making {
  given: AbortController;
  done: Promise<unknown>;
  ofPaused: boolean;
}

type DiskFile = Launch['disks'][number] & { file: string };
type Copied = Pick<DiskFile, 'file' | 'format'> & { isLayer: boolean };

export class LiveCopies {
  /** One socket and one view a machine. */
  private readonly lock = new KeyedLock();
  private readonly making = new Map<string, Set<Making>>();
  /** Machines that are about to be paused or ended, by how many. */
  private readonly closed = new Map<string, number>();
  private hasEnded = false;

  constructor(private readonly deps: LiveCopiesDeps) {}

  /**
   * Of a volume that a runtime has, into the new file `draft`: its journal may have to be replayed. Throws `illegal_state` when
   * the runtime neither runs nor is paused.
   */
  async ofVolume(runtime: string, volume: string, draft: string, job: SnapshotJob): Promise<HeldCopy> {
    const { plan } = await this.deps.store.get(runtime);
    const mount = diskMounts(plan).find((each) => each.volume === volume);
    if (mount === undefined) {
      throw new BerthError('not_found', `${runtime} does not have the volume ${volume}.`);
    }
    return this.copy(runtime, mount, draft, job);
  }

  /** The same of what it has outside of volumes: as one raw disk, or as an overlay over the base of its root disk. */
  ofRoot(runtime: string, draft: string, job: SnapshotJob, { isLayer = false } = {}): Promise<HeldCopy> {
    return this.copy(runtime, { serial: 'root', target: '/', isLayer }, draft, job);
  }

  /** Pauses or ends a machine by `work`: no copy of it is made meanwhile, and those that are being made are given up. */
  async without<T>(name: string, work: () => Promise<T>): Promise<T> {
    this.closed.set(name, (this.closed.get(name) ?? 0) + 1);
    try {
      await this.giveWay(name);
      return await work();
    } finally {
      this.closed.set(name, (this.closed.get(name) ?? 1) - 1);
    }
  }

  /** Has a machine go on by `work`, which takes its turn first: copies of it while it is paused are given up. */
  async goingOn<T>(name: string, work: () => Promise<T>): Promise<T> {
    const going = work();
    this.makingOf(name).forEach(({ given, ofPaused }) => ofPaused && given.abort());
    return going;
  }

  async close(): Promise<void> {
    this.hasEnded = true;
    await Promise.all([...this.making.keys()].map((name) => this.giveWay(name)));
  }

  private async giveWay(name: string): Promise<void> {
    const all = this.makingOf(name);
    all.forEach(({ given }) => given.abort());
    await Promise.allSettled(all.map(({ done }) => done));
  }

  private makingOf(name: string): Making[] {
    return [...(this.making.get(name) ?? [])];
  }

  private async copy(name: string, disk: AttachedDisk, draft: string, job: SnapshotJob): Promise<HeldCopy> {
    const { store, machines } = this.deps;
    const record = await store.get(name);
    const machine = await machines.of(record);
    const state = await machine?.state();
    if (machine !== undefined && state === 'running') {
      return this.ofRunning(machine, disk, draft, job);
    }
    const copied = await this.made(name, { ofPaused: true, signal: job.signal }, (signal) =>
      this.ofPaused(name, disk, draft, { ...job, signal }),
    );
    if (copied === undefined) {
      throw new BerthError(
        'illegal_state',
        `${name} is being started or stopped: its disks can't be copied.`,
        {
          hint: 'Try again when that is over.',
        },
      );
    }
    return copied;
  }

  /** Of one that stands still, from the file. Undefined when it does not. */
  private ofPaused(
    name: string,
    { serial, target, isLayer = false }: AttachedDisk,
    draft: string,
    job: SnapshotJob,
  ): Promise<HeldCopy | undefined> {
    const work = async (paused: RuntimeRecord): Promise<HeldCopy> => {
      const machine = await this.deps.machines.of(paused);
      const isShared = await this.copyStill(name, { ...diskOf(paused, serial), isLayer }, draft, job);
      const problem = unwritten(paused, machine?.isHalted === true);
      return { heldMs: 0, isShared, notes: problem === undefined ? [] : [asAfterPowerCut(target, problem)] };
    };
    return this.deps.whilePaused(name, work, job.signal);
  }

  /** Makes a copy, unless it is to be given up. */
  private async made<T>(
    name: string,
    { ofPaused, signal }: { ofPaused: boolean; signal: AbortSignal },
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    if ((this.closed.get(name) ?? 0) > 0 || this.hasEnded) {
      throw gaveWay(name, ofPaused);
    }
    const given = new AbortController();
    const done = work(AbortSignal.any([given.signal, signal]));
    const all = this.making.get(name) ?? new Set();
    const making = { given, done, ofPaused };
    this.making.set(name, all.add(making));
    try {
      return await done;
    } catch (error) {
      throw given.signal.aborted ? gaveWay(name, ofPaused) : error;
    } finally {
      all.delete(making);
      if (all.size === 0) {
        this.making.delete(name);
      }
    }
  }

  private ofRunning(
    machine: Machine,
    disk: AttachedDisk,
    draft: string,
    job: SnapshotJob,
  ): Promise<HeldCopy> {
    const { name } = machine;
    return this.lock.run(name, () =>
      this.made(name, { ofPaused: false, signal: job.signal }, async (signal) => {
        try {
          return await this.throughQemu(machine, disk, draft, { ...job, signal });
        } catch (error) {
          throw reasonOf(machine, error);
        }
      }),
    );
  }

  /** Of a disk that nobody writes to before this has ended. Answers whether blocks are shared. */
  private async copyStill(
    name: string,
    { file: path, format, isLayer }: Copied,
    draft: string,
    job: SnapshotJob,
  ): Promise<boolean> {
    if (format === 'raw' && (await cloneFile(path, draft))) {
      return true;
    }
    const from = { path, format, isHeld: true };
    await (isLayer ? this.copyLayer(name, from, draft, job) : this.convert(from, path, draft, job));
    return false;
  }

  private async copyLayer(
    name: string,
    from: FileDisk | NbdDisk,
    draft: string,
    { signal }: Pick<SnapshotJob, 'signal'>,
  ): Promise<void> {
    const { base } = this.deps.store.files.of(name);
    const options = { signal, isScratch: true, report: () => undefined };
    await copyOverlay(await this.deps.qemuImg(), from, base, draft, options);
  }

  private async throughQemu(
    machine: Machine,
    { serial, target, isLayer = false }: AttachedDisk,
    draft: string,
    job: SnapshotJob,
  ): Promise<HeldCopy> {
    const { store } = this.deps;
    const disk = { ...diskOf(await store.get(machine.name), serial), isLayer };
    if (disk.readOnly) {
      return {
        ...{ heldMs: 0, notes: [] },
        isShared: await this.copyStill(machine.name, disk, draft, job),
      };
    }
    const { rootfs, viewSocket } = store.files.of(machine.name);
    const scratch = draftOf(rootfs);
    const view = new DiskView(machine.qmp, serial);
    try {
      await this.makeScratch(scratch, await view.size());
      await view.prepare(scratch);
      job.signal.throwIfAborted();
      const { heldMs, problem } = await whileFrozen(machine, target, job, () => view.begin());
      job.signal.throwIfAborted();
      await this.copyView(machine.name, await view.serve(viewSocket), disk, draft, job);
      const why = problem ?? (await notHeld(serial, draft, isLayer));
      const notes = why === undefined ? [] : [asAfterPowerCut(target, why)];
      return { heldMs, isShared: false, notes };
    } finally {
      await this.closeView(machine, view);
      await rm(scratch, { force: true });
      await rm(viewSocket, { force: true });
    }
  }

  private async copyView(
    name: string,
    source: NbdDisk,
    { file, format, isLayer }: Copied,
    draft: string,
    job: SnapshotJob,
  ): Promise<void> {
    const { folder, rootfs } = this.deps.store.files.of(name);
    const own = draftOf(rootfs);
    try {
      if (isLayer) {
        await this.copyLayer(name, source, draft, job);
      } else if (format === 'qcow2') {
        await this.copyLayer(name, source, own, job);
        await this.convert({ path: own, format }, file, draft, job);
      } else {
        await this.convert(source, file, draft, job);
      }
    } catch (error) {
      // What the guest wrote over meanwhile had no room, and the view was broken for it.
      const isFull = (await freeBytesIn(folder)) < nearlyFullBytes;
      throw isFull && !job.signal.aborted ? noRoomIn(folder, error) : error;
    } finally {
      await rm(own, { force: true });
    }
  }

  private async convert(
    source: Parameters<typeof convertDisk>[1],
    file: string,
    draft: string,
    { signal, report }: SnapshotJob,
  ): Promise<void> {
    const total = await takenBytes(file);
    await convertDisk(await this.deps.qemuImg(), source, draft, {
      // Who puts it in place writes it to the disk.
      ...{ signal, isScratch: true },
      report: (share) => report(Math.round(share * total), total),
    });
  }

  private async makeScratch(path: string, bytes: number): Promise<void> {
    const argv = ['create', '-q', '-f', 'qcow2', path, String(bytes)];
    const what = 'make a file for what is written over meanwhile';
    await runWell(await this.deps.qemuImg(), argv, { what, timeoutMs: toolTimeoutMs });
  }

  /** What is left of it is taken away by the next engine that takes the machine over. */
  private async closeView(machine: Machine, view: DiskView): Promise<void> {
    try {
      await view.close();
    } catch (error) {
      if (machine.qmp.isOpen) {
        this.deps.log.error(
          { name: machine.name, error: String(error) },
          'a disk of a microVM is still copied before it is written to',
        );
      }
    }
  }
}

function diskOf({ plan, launch }: RuntimeRecord, serial: string): DiskFile {
  const disk = launch?.disks.find(
    (each): each is DiskFile => each.serial === serial && each.file !== undefined,
  );
  if (disk === undefined) {
    throw new BerthError('not_found', `${plan.name} does not have the disk ${serial}.`);
  }
  return disk;
}

function reasonOf({ name, qmp }: Machine, error: unknown): unknown {
  return qmp.isOpen
    ? error
    : new BerthError('runtime_unavailable', `${name} ended while its disk was copied.`, {
        hint: 'Try again: its disk is there.',
        cause: error,
      });
}

function gaveWay(name: string, ofPaused: boolean): BerthError {
  const why = ofPaused ? 'it was resumed or stopped meanwhile' : 'it was paused or stopped meanwhile';
  return new BerthError('illegal_state', `The disk of ${name} was not copied: ${why}.`, {
    hint: 'Try again, as it is now.',
  });
}

/** A guest that says that it held still is not believed: a file system that does has nothing left in its journal. */
async function notHeld(serial: string, draft: string, isLayer: boolean): Promise<string | undefined> {
  const read = isLayer ? ownSuperblock(draft) : readSuperblock(serial, draft);
  // What can't be read at all is told by who puts it in place.
  const superblock = await read.catch(() => undefined);
  return superblock?.needsRecovery === true ? 'its guest said that it was, and it was not' : undefined;
}

/** Of an overlay, where it has one: the base's needs no recovery. */
async function ownSuperblock(path: string): Promise<Superblock | undefined> {
  const raw = await readOwnStart(path, superblockOffset, superblockSize);
  return raw && new Superblock(raw);
}

/** Why not all that the guest had in its memory is on the disk of one that stands still. */
function unwritten({ paused, unsynced }: RuntimeRecord, isHalted: boolean): string | undefined {
  if (isHalted) {
    return 'it stands still because a disk of it could not be written';
  }
  return paused === true && unsynced !== true ? undefined : 'it did not write all before it was paused';
}

function asAfterPowerCut(target: string, why: string): string {
  return `The file system at ${target} could not be held still (${why}): it is as after a power cut, its journal replayed.`;
}

function noRoomIn(folder: string, cause: unknown): BerthError {
  return new BerthError('no_space', `The disk was not copied: no room is left at ${folder}.`, {
    hint: 'Make room there, then try again. The workspace runs on.',
    cause,
  });
}
