/**
 * Pause and resume. A paused machine stands still at once; its state is written to disk behind the user's back, so
 * that it goes on also after the host was restarted, or QEMU ended.
 */
import { access, rename } from 'node:fs/promises';
import { isErrno } from '../../store/files';
import type { Log } from '../containers/log';
import { LateRemoval } from './late-removal';
import type { Machine } from './machine';
import type { Machines } from './machines';
import { saveState } from './qemu/saved-state';
import type { RuntimeRecord } from './runtime-record';
import type { RuntimeStore } from './runtime-store';
import type { Starter } from './starter';

const saveTimeoutMs = 10 * 60_000;

export interface SuspenderParts {
  store: RuntimeStore;
  machines: Machines;
  starter: Starter;
  log: Log;
}

interface Saving {
  cancel: AbortController;
  done: Promise<void>;
}

export class Suspender {
  private readonly saving = new Map<string, Saving>();
  private readonly removal: LateRemoval;

  constructor(private readonly parts: SuspenderParts) {
    this.removal = new LateRemoval(parts.log);
  }

  /** Succeeds when it is paused already. */
  async pause(record: RuntimeRecord): Promise<void> {
    const machine = await this.parts.machines.of(record);
    if (machine === undefined || (await machine.state()) === 'paused') {
      return;
    }
    await machine.qmp.execute('stop');
    await this.parts.store.change(record.plan.name, { paused: true });
    if (isSavable(record)) {
      this.save(record.plan.name, machine);
    }
  }

  /** Saves what an engine that was killed meanwhile could not. */
  async keep(record: RuntimeRecord): Promise<void> {
    const { name } = record.plan;
    if (record.paused !== true || !isSavable(record)) {
      return;
    }
    if (this.saving.has(name) || (await this.isSaved(record))) {
      return;
    }
    const machine = await this.parts.machines.of(record);
    if (machine !== undefined && (await machine.state()) === 'paused' && !this.saving.has(name)) {
      this.save(name, machine);
    }
  }

  /** Succeeds when it runs already. Answers the machine; undefined when it neither runs nor was saved. */
  async resume(record: RuntimeRecord): Promise<Machine | undefined> {
    const { machines } = this.parts;
    const { name } = record.plan;
    await this.cancelSave(name);
    const machine = await machines.of(record);
    if (machine === undefined) {
      return (await this.isSaved(record)) ? this.restore(record) : undefined;
    }
    if ((await machine.state()) === 'paused') {
      // From here on the disks are ahead of what was saved.
      await this.discard(name);
      await machine.qmp.execute('cont');
      await setTime(machine);
    }
    return machine;
  }

  /** Its state is on disk, and it is to go on from there. */
  async isSaved({ plan, paused }: RuntimeRecord): Promise<boolean> {
    return paused === true && (await exists(this.parts.store.files.of(plan.name).state));
  }

  /** It was stopped or removed: there is nothing to go on with. */
  async forget(name: string): Promise<void> {
    await this.cancelSave(name);
    await this.discard(name);
  }

  /** Waits until what is being saved is on disk: an engine that ends takes the receiver of it along. */
  async close(): Promise<void> {
    await Promise.all([...this.saving.values()].map(({ done }) => done));
    await this.removal.close();
  }

  private async restore(record: RuntimeRecord): Promise<Machine> {
    const { name } = record.plan;
    // Once it goes on, the disks are ahead of what was saved.
    const machine = await this.parts.starter.restore(record, () => this.discard(name));
    await setTime(machine);
    return machine;
  }

  private save(name: string, machine: Machine): void {
    const { state, saveSocket } = this.parts.store.files.of(name);
    const cancel = new AbortController();
    const options = { socket: saveSocket, timeoutMs: saveTimeoutMs, signal: cancel.signal };
    const done = saveState(machine.qmp, state, options)
      .catch((error: unknown) => {
        if (!cancel.signal.aborted) {
          this.parts.log.warn({ name, error: String(error) }, 'a paused microVM was not saved');
        }
      })
      .finally(() => this.saving.delete(name));
    this.saving.set(name, { cancel, done });
  }

  private async cancelSave(name: string): Promise<void> {
    const saving = this.saving.get(name);
    saving?.cancel.abort();
    await saving?.done;
  }

  private async discard(name: string): Promise<void> {
    await this.putAside(this.parts.store.files.of(name).state);
    await this.parts.store.update(name, (record) =>
      record.paused === undefined ? undefined : { ...record, paused: undefined },
    );
  }

  /** Under another name it is no saved state any more. */
  private async putAside(state: string): Promise<void> {
    const aside = `${state}.old`;
    try {
      await rename(state, aside);
      this.removal.add(aside);
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

/** While it stood still its clock did too. */
async function setTime(machine: Machine): Promise<void> {
  (await machine.controlPort()).setTime(Date.now());
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
