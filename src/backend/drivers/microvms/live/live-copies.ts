/**
 * Copies of disks that a machine has, as they were at one moment: of one that runs through QEMU, its guest's file system frozen
 * for that moment; of one that is paused from the file, which nobody writes to. Whoever pauses or ends a machine does not wait
 * for its copies: they are given up.
 */
import { rm } from 'node:fs/promises';
import { BerthError } from '../../../../api/errors';
import { draftOf } from '../../../machine/drafts';
import { freeBytesIn, takenBytes } from '../../../machine/free-space';
import { cloneFile } from '../../../machine/copies';
import { KeyedLock } from '../../../machine/keyed-lock';
import type { Log } from '../../../machine/log';
import { runWell } from '../../../machine/run';
import type { SnapshotJob } from '../../contract/snapshots';
import type { Machine } from '../machines/machine';
import type { Machines } from '../machines/machines';
import { convertDisk, copyOverlay, type NbdDisk } from '../rootfs/convert';
import type { HeldCopy } from '../parts';
import { diskMounts } from '../runtimes/runtime-plan';
import type { Launch, RuntimeRecord } from '../runtimes/runtime-record';
import type { RuntimeStore } from '../runtimes/runtime-store';
import { DiskView } from './disk-view';
import { whileFrozen } from './guest-freeze';

const toolTimeoutMs = 30_000;
/** What is left where the scratch file lies when it has no room. */
const nearlyFullBytes = 16 * 1024 ** 2;

export interface LiveCopiesDeps {
  store: RuntimeStore;
  machines: Pick<Machines, 'of'>;
  /** Calls back while a runtime is paused and stays so; undefined when it is not. */
  whilePaused: <T>(name: string, work: (record: RuntimeRecord) => Promise<T>) => Promise<T | undefined>;
  qemuImg: () => Promise<string>;
  log: Log;
}

/** A disk of a machine, and where its guest has it. */
interface AttachedDisk {
  serial: string;
  target: string;
}

type DiskFile = Launch['disks'][number] & { file: string };

export class LiveCopies {
  /** One socket and one view a machine. */
  private readonly lock = new KeyedLock();
  private readonly running = new Map<string, { given: AbortController; done: Promise<unknown> }>();
  /** Machines that are about to be paused or ended, by how many. */
  private readonly closed = new Map<string, number>();

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

  /** The same of what it has outside of volumes, as one raw disk. */
  ofRoot(runtime: string, draft: string, job: SnapshotJob): Promise<HeldCopy> {
    return this.copy(runtime, { serial: 'root', target: '/' }, draft, job);
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

  async close(): Promise<void> {
    await Promise.all([...this.running.keys()].map((name) => this.giveWay(name)));
  }

  private async giveWay(name: string): Promise<void> {
    const { given, done } = this.running.get(name) ?? {};
    given?.abort();
    await done?.catch(() => undefined);
  }

  private async copy(name: string, disk: AttachedDisk, draft: string, job: SnapshotJob): Promise<HeldCopy> {
    const { store, machines, whilePaused } = this.deps;
    const record = await store.get(name);
    const machine = await machines.of(record);
    if (machine !== undefined && (await machine.state()) === 'running') {
      return this.ofRunning(machine, disk, draft, job);
    }
    const copied = await whilePaused(name, async (paused) => {
      const { file, format } = diskOf(paused, disk.serial);
      // Its guest has written what it had before it was paused.
      return { heldMs: 0, isShared: await this.copyStill(file, format, draft, job), notes: [] };
    });
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

  private ofRunning(
    machine: Machine,
    disk: AttachedDisk,
    draft: string,
    job: SnapshotJob,
  ): Promise<HeldCopy> {
    const { name } = machine;
    return this.lock.run(name, async () => {
      if ((this.closed.get(name) ?? 0) > 0) {
        throw gaveWay(name);
      }
      const given = new AbortController();
      const signal = AbortSignal.any([given.signal, job.signal]);
      const done = this.throughQemu(machine, disk, draft, { ...job, signal });
      this.running.set(name, { given, done });
      try {
        return await done;
      } catch (error) {
        throw reasonOf(machine, given.signal.aborted, error);
      } finally {
        this.running.delete(name);
      }
    });
  }

  /** Of a disk that nobody writes to before this has ended. Answers whether blocks are shared. */
  private async copyStill(
    path: string,
    format: DiskFile['format'],
    draft: string,
    job: SnapshotJob,
  ): Promise<boolean> {
    if (format === 'raw' && (await cloneFile(path, draft))) {
      return true;
    }
    await this.convert({ path, format, isHeld: true }, path, draft, job);
    return false;
  }

  private async throughQemu(
    machine: Machine,
    { serial, target }: AttachedDisk,
    draft: string,
    job: SnapshotJob,
  ): Promise<HeldCopy> {
    const { store } = this.deps;
    const disk = diskOf(await store.get(machine.name), serial);
    if (disk.readOnly) {
      return {
        ...{ heldMs: 0, notes: [] },
        isShared: await this.copyStill(disk.file, disk.format, draft, job),
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
      const notes = problem === undefined ? [] : [asAfterPowerCut(target, problem)];
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
    { file, format }: DiskFile,
    draft: string,
    job: SnapshotJob,
  ): Promise<void> {
    const { base, folder, rootfs } = this.deps.store.files.of(name);
    const own = draftOf(rootfs);
    try {
      if (format === 'qcow2') {
        const options = { signal: job.signal, isScratch: true, report: () => undefined };
        await copyOverlay(await this.deps.qemuImg(), source, base, own, options);
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

function reasonOf({ name, qmp }: Machine, isGiven: boolean, error: unknown): unknown {
  if (isGiven) {
    return gaveWay(name);
  }
  return qmp.isOpen
    ? error
    : new BerthError('runtime_unavailable', `${name} ended while its disk was copied.`, {
        hint: 'Try again: its disk is there.',
        cause: error,
      });
}

function gaveWay(name: string): BerthError {
  const what = `The disk of ${name} was not copied: it was paused or stopped meanwhile.`;
  return new BerthError('illegal_state', what, { hint: 'Try again, paused or stopped as it is.' });
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
