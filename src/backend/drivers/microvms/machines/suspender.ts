/**
 * Pause and resume. What the guest has written is on its disks before a machine is paused; then it stands still at once,
 * and its memory is saved behind the user's back, which the state says until that is done. So a QEMU that ends at any
 * moment takes no file along, and from then on no memory either. What was saved is kept until the guest goes on.
 */
import { once } from 'node:events';
import { access, rm } from 'node:fs/promises';
import { BerthError, asBerthError } from '../../../../api/errors';
import { draftOf } from '../../../machine/drafts';
import { isErrno, renameDurably } from '../../../machine/files';
import { identityOf } from '../../../machine/process-identity';
import type { Log } from '../../../machine/log';
import { coarseStampsOf, hasChangedSince, settledStamps } from './disk-stamps';
import { goOnWithRoom, haltOf } from './halts';
import type { KeptKits } from '../kit/kept-kits';
import { LateRemoval } from './late-removal';
import { knownCause } from './launch-errors';
import type { Machine } from './machine';
import type { Machines } from './machines';
import { checksumOf, saveState } from '../qemu/saved-state';
import type { RuntimeRecord } from '../runtimes/runtime-record';
import type { RuntimeStore } from '../runtimes/runtime-store';
import type { Starter } from './starter';

const saveTimeoutMs = 10 * 60_000;
/** A guest that does not write within this time is saved before anybody is told that it is paused. */
const syncTimeoutMs = 5_000;

export interface SuspenderDeps {
  store: RuntimeStore;
  machines: Machines;
  starter: Starter;
  kept: KeptKits;
  log: Log;
}

interface Saving {
  cancel: AbortController;
  /** Never rejects. */
  done: Promise<void>;
}

export class Suspender {
  private readonly saving = new Map<string, Saving>();
  /** Why the memory of a paused machine is in QEMU only. */
  private readonly unsaved = new Map<string, string>();
  private readonly removal: LateRemoval;

  constructor(private readonly deps: SuspenderDeps) {
    this.removal = new LateRemoval(deps.log);
  }

  /** Succeeds when it is paused already. */
  async pause(record: RuntimeRecord): Promise<void> {
    const { name } = record.plan;
    const machine = await this.deps.machines.of(record);
    if (machine === undefined || (await machine.state()) === 'paused') {
      await this.refuseHalted(record, machine);
      return;
    }
    const isSynced = await this.sync(record, machine);
    await this.standStill(name, machine, isSynced);
    if (isSavable(record)) {
      const saving = this.save(record, machine);
      if (!isSynced) {
        await saving.done;
      }
    }
  }

  /**
   * Goes on with what an engine that was killed could not do: to save, or to note what came of a pause or a resume. To
   * be called while nobody does anything else to it.
   */
  async keep(record: RuntimeRecord): Promise<void> {
    const { name } = record.plan;
    if (record.paused !== true || this.saving.has(name)) {
      return;
    }
    const machine = await this.deps.machines.of(record);
    const state = await machine?.state();
    if (record.resuming === true) {
      await this.settleResume(record, state === 'running');
    } else if (state === 'running') {
      await this.discard(name);
    }
    const isKept = !isSavable(record) || (await this.isSaved({ ...record, resuming: undefined }));
    if (machine !== undefined && state === 'paused' && !isKept && !this.saving.has(name)) {
      this.save(record, machine);
    }
  }

  /** Succeeds when it runs already. Answers the machine; undefined when it neither runs nor was saved. */
  async resume(record: RuntimeRecord): Promise<Machine | undefined> {
    const { machines } = this.deps;
    await this.cancelSave(record.plan.name);
    const machine = await machines.of(record);
    if (machine === undefined) {
      return (await this.isSaved(record)) ? this.restore(record) : undefined;
    }
    if ((await machine.state()) === 'paused') {
      if (machine.isHalted) {
        await goOnWithRoom(machine, record);
      } else {
        await this.goOn(record, machine);
        await this.deps.kept.dropCopy(record);
      }
      await machine.setTime();
    }
    return machine;
  }

  /** Its state is on disk, and it is to go on from there. */
  async isSaved({ plan, paused, resuming }: RuntimeRecord): Promise<boolean> {
    return paused === true && resuming !== true && (await exists(this.deps.store.files.of(plan.name).state));
  }

  /** What is to be known of a machine that was paused, for people. */
  detailOf(record: RuntimeRecord, isStopped: boolean): string | undefined {
    const { name } = record.plan;
    if (record.paused !== true) {
      return undefined;
    }
    if (isStopped) {
      return 'QEMU ended before its memory was saved: what ran is lost, files that were written are not.';
    }
    if (this.saving.has(name)) {
      return 'Its memory is being saved to disk.';
    }
    return isSavable(record) ? this.unsaved.get(name) : 'Its memory is not saved, as it has shared folders.';
  }

  /** Resolves when it is not being saved, or no longer. Throws at once when `signal` is given. */
  async settled(name: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const over = new AbortController();
    const givenUp = once(signal, 'abort', { signal: over.signal }).catch(() => undefined);
    await Promise.race([this.saving.get(name)?.done, givenUp]);
    over.abort();
    signal.throwIfAborted();
  }

  /** It was stopped or removed: there is nothing to go on with. */
  async forget(name: string): Promise<void> {
    await this.cancelSave(name);
    await this.discard(name);
    await this.deps.kept.drop(name);
  }

  /** Waits until what is being saved is on disk: an engine that ends takes the receiver of it along. */
  async close(): Promise<void> {
    await Promise.all([...this.saving.values()].map(({ done }) => done));
    await this.removal.close();
  }

  /** On record first: a guest that stands still without that would be nobody's pause. */
  private async standStill(name: string, machine: Machine, isSynced: boolean): Promise<void> {
    const { store } = this.deps;
    // Of an earlier pause, whose end was undone by a power cut.
    await this.putAside(store.files.of(name).state);
    await store.change(name, { paused: true, unsynced: isSynced ? undefined : true });
    try {
      await machine.qmp.execute('stop');
    } catch (error) {
      // Unless it still runs, the next look tells what became of it.
      if ((await machine.state().catch(() => 'paused')) === 'running') {
        await store.change(name, { paused: undefined, unsynced: undefined });
      }
      throw error;
    }
  }

  private async refuseHalted(record: RuntimeRecord, machine: Machine | undefined): Promise<void> {
    const halt = machine === undefined ? undefined : await haltOf(machine, record);
    if (halt !== undefined) {
      throw halt;
    }
  }

  /** False when the guest did not say that it has written all. */
  private async sync({ plan }: RuntimeRecord, machine: Machine): Promise<boolean> {
    try {
      await (await machine.controlPort()).sync(syncTimeoutMs);
      return true;
    } catch (error) {
      this.deps.log.warn({ name: plan.name, error: String(error) }, 'a guest did not write before its pause');
      return false;
    }
  }

  /** In the memory of QEMU. What was saved stays until the guest goes on. */
  private async goOn(record: RuntimeRecord, machine: Machine): Promise<void> {
    const { name } = record.plan;
    if (await this.isSaved(record)) {
      // QEMU has let go of the disks with what it saved, though it has not ended.
      await refuseChanged(record);
      await this.begin(record);
    }
    try {
      await machine.qmp.execute('cont');
    } catch (error) {
      // Unless QEMU refused, it is not known what became of it: the next look tells.
      if ((await machine.state().catch(() => 'running')) === 'paused') {
        await this.deps.store.change(name, notResuming);
        await this.keep(await this.deps.store.get(name));
      }
      throw knownCause(record.plan, String(error), error) ?? error;
    }
    await this.discard(name);
  }

  private async restore(record: RuntimeRecord): Promise<Machine> {
    const { starter, store } = this.deps;
    const { name } = record.plan;
    await refuseChanged(record);
    const qemu = { hasOpened: false };
    const going = {
      opens: () => void (qemu.hasOpened = true),
      begins: () => this.begin(record),
      hasWritten: async () => this.hasWritten(await store.get(name)),
    };
    let machine: Machine;
    try {
      machine = await starter.restore(record, going);
    } catch (error) {
      const now = await store.get(name);
      if (now.resuming === true && (await this.settleResume(now, false))) {
        throw tooLate(name, error);
      }
      // QEMU has had them open, which touches them. Not where another one has: what that one writes is to show.
      if (qemu.hasOpened && asBerthError(error).code !== 'in_use') {
        await this.noteDisks(record);
      }
      throw error;
    }
    await this.discard(name);
    await this.deps.kept.dropCopy(record);
    await this.refuseHalted(record, machine);
    await machine.setTime();
    return machine;
  }

  /**
   * What came of a resume that was cut off. Where the guest went on, what was saved is of no use any more: answers
   * whether that is so.
   */
  private async settleResume(record: RuntimeRecord, runs: boolean): Promise<boolean> {
    const { name } = record.plan;
    if (runs || (await this.hasWritten(record))) {
      this.deps.log.info({ name, runs }, 'a guest has gone on from what was saved');
      await this.discard(name);
      return true;
    }
    await this.deps.store.change(name, notResuming);
    return false;
  }

  /** After a crash of this machine the times of its disks say nothing, and it is taken as having written. */
  private async hasWritten(record: RuntimeRecord): Promise<boolean> {
    const { plan, process, disksBefore } = record;
    const now = identityOf(globalThis.process.pid);
    const isSaved = await exists(this.deps.store.files.of(plan.name).state);
    const hasCrashed = process !== undefined && process.bootId !== now.bootId;
    return (
      !isSaved || hasCrashed || disksBefore === undefined || hasChangedSince(disksBefore, writable(record))
    );
  }

  /** From here on what is written to the disks shows. */
  private async begin(record: RuntimeRecord): Promise<void> {
    const disksBefore = { ...(await settledStamps(writable(record))) };
    await this.deps.store.change(record.plan.name, { resuming: true, disksBefore });
  }

  private save(record: RuntimeRecord, machine: Machine): Saving {
    const { name } = record.plan;
    const { state, saveSocket } = this.deps.store.files.of(name);
    const cancel = new AbortController();
    const options = { socket: saveSocket, timeoutMs: saveTimeoutMs, signal: cancel.signal };
    this.unsaved.delete(name);
    const done = saveState(machine.qmp, state, options)
      .then(() => this.noteDisks(record))
      .then(() => this.deps.kept.ensure(record))
      .catch((error: unknown) => {
        if (!cancel.signal.aborted) {
          const { message } = asBerthError(error);
          this.unsaved.set(name, `Its memory could not be saved, and is lost when QEMU ends: ${message}`);
          this.deps.log.warn({ name, error: String(error) }, 'a paused microVM was not saved');
        }
      })
      .finally(() => {
        this.saving.delete(name);
        if (!cancel.signal.aborted) {
          // What is known of it has changed.
          this.deps.machines.report(record, 'paused');
        }
      });
    const saving = { cancel, done };
    this.saving.set(name, saving);
    return saving;
  }

  /** Nobody but QEMU has had them until now. */
  private async noteDisks(record: RuntimeRecord): Promise<void> {
    const { name } = record.plan;
    try {
      await this.deps.store.change(name, { disksSaved: { ...(await coarseStampsOf(mounted(record))) } });
    } catch (error) {
      this.deps.log.warn(
        { name, error: String(error) },
        'changes to the disks of a paused microVM will not show',
      );
    }
  }

  private async cancelSave(name: string): Promise<void> {
    const saving = this.saving.get(name);
    saving?.cancel.abort();
    await saving?.done;
  }

  private async discard(name: string): Promise<void> {
    this.unsaved.delete(name);
    await this.putAside(this.deps.store.files.of(name).state);
    await this.deps.store.update(name, (record) =>
      record.paused === undefined && record.resuming === undefined ? undefined : { ...record, ...notPaused },
    );
  }

  /** Under another name it is no saved state any more. */
  private async putAside(state: string): Promise<void> {
    const aside = draftOf(state);
    try {
      await renameDurably(state, aside);
      this.removal.add(aside);
      await rm(checksumOf(state), { force: true });
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) {
        throw error;
      }
    }
  }
}

/** Daemons that serve folders to it know of files that it has open, which is in no saved state. */
function isSavable({ launch }: RuntimeRecord): boolean {
  return launch?.shares === undefined;
}

const notResuming = { resuming: undefined, disksBefore: undefined };
const notPaused = { ...notResuming, paused: undefined, unsynced: undefined, disksSaved: undefined };

/** The disks that the guest may write to. */
function writable({ launch }: RuntimeRecord): string[] {
  return (launch?.disks ?? []).flatMap(({ file, readOnly }) =>
    readOnly || file === undefined ? [] : [file],
  );
}

/** The disks that its guest knows; of the tools' one the kit tells. */
function mounted({ launch }: Pick<RuntimeRecord, 'launch'>): string[] {
  return (launch?.disks ?? []).flatMap(({ serial, file }) =>
    serial === 'tools' || file === undefined ? [] : [file],
  );
}

/** A guest that has a disk mounted destroys what others wrote to it. Earlier versions did not note the disks. */
async function refuseChanged(record: RuntimeRecord): Promise<void> {
  const { plan, disksSaved } = record;
  const now = disksSaved === undefined ? {} : await coarseStampsOf(mounted(record));
  const changed = Object.keys(now).filter((file) => now[file] !== disksSaved?.[file]);
  if (changed.length > 0) {
    const what = `Somebody has changed what ${plan.name} has mounted since it was paused: ${changed.join(', ')}.`;
    throw new BerthError('illegal_state', what, {
      hint: 'Stop it and start it again: what was in its memory is lost, its files are not.',
    });
  }
}

function tooLate(name: string, cause: unknown): BerthError {
  const { message } = asBerthError(cause);
  const what = `${name} went on and ended: it can't go back to where it was paused. ${message}`;
  return new BerthError('runtime_unavailable', what, { hint: 'Start it again: its files are there.', cause });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
