/**
 * The machines that run now. One that an earlier engine started is taken over: its process is known by its record,
 * or, when that engine was killed before it could write one, by QEMU's own pid file and the machine's UUID.
 */
import { BerthError } from '../../../../api/errors';
import { readIfPresent } from '../../../machine/files';
import { identityOf, isRunning, type ProcessIdentity } from '../../../machine/process-identity';
import type { Log } from '../../../machine/log';
import type { DriverEvent } from '../../driver';
import { closeLeftViews } from '../live/disk-view';
import { Machine } from './machine';
import { killProcess, waitUntilGone } from '../qemu/process';
import { isMachine } from '../qemu/identity';
import { QmpClient, type QmpEvent } from '../qemu/qmp';
import type { RuntimeRecord } from '../runtimes/runtime-record';
import type { RuntimeStore } from '../runtimes/runtime-store';

const adoptTimeoutMs = 5_000;
/** QEMU closes its disks after it has closed its sockets. */
const endTimeoutMs = 30_000;
const killedExitCode = 137;

type RuntimeVerb = (DriverEvent & { type: 'runtime' })['what'];

export interface MachinesOptions {
  store: RuntimeStore;
  log: Log;
  privateKey: () => Promise<string>;
  report: (event: DriverEvent) => void;
}

export class Machines {
  private readonly live = new Map<string, Promise<Machine | undefined>>();
  /** Started by this engine, at some time. */
  private readonly own = new Set<string>();

  constructor(private readonly options: MachinesOptions) {}

  /** The machine of a runtime; undefined when it does not run. */
  async of(record: RuntimeRecord): Promise<Machine | undefined> {
    const { name } = record.plan;
    const current = this.live.get(name);
    const known = await current;
    if (known?.qmp.isOpen === true) {
      return known;
    }
    if (this.live.get(name) !== current) {
      return this.of(record);
    }
    const adopting = this.adopt(record);
    this.live.set(name, adopting);
    const machine = await adopting.catch((error: unknown) => {
      this.forget(name, adopting);
      throw error;
    });
    if (machine === undefined) {
      this.forget(name, adopting);
    }
    return machine;
  }

  /**
   * Starts one and takes it in. QEMU serves one client at a time: whoever asks for the machine meanwhile waits for
   * what comes of this, instead of connecting too.
   */
  async start(
    name: string,
    launching: () => Promise<{ record: RuntimeRecord; qmp: QmpClient; process: ProcessIdentity }>,
  ): Promise<Machine> {
    this.own.add(name);
    const starting = launching().then(({ record, qmp, process }) => this.connect(record, qmp, process));
    const outcome = starting.catch(() => undefined);
    this.live.set(name, outcome);
    return starting.catch((error: unknown) => {
      this.forget(name, outcome);
      throw error;
    });
  }

  private forget(name: string, machine: Promise<Machine | undefined>): void {
    if (this.live.get(name) === machine) {
      this.live.delete(name);
    }
  }

  report(record: Pick<RuntimeRecord, 'plan'>, what: RuntimeVerb): void {
    const { name, workspace } = record.plan;
    this.options.report({ type: 'runtime', name, workspace, what });
  }

  /** Waits until a machine has ended and that is noted; false when it runs on after that time. */
  async waitForEnd(record: RuntimeRecord, timeoutMs: number): Promise<boolean> {
    const machine = await this.of(record);
    if (machine === undefined) {
      return true;
    }
    if (!(await waitUntilGone(machine.process, timeoutMs))) {
      return false;
    }
    await this.ended(record, machine.process.pid, machine.hasShutDown);
    return true;
  }

  /** Ends a machine at once. Succeeds when it does not run. */
  async kill(record: RuntimeRecord): Promise<void> {
    const process = await this.findProcess(record);
    if (process !== undefined) {
      await killProcess(process);
    }
    await this.ended(record, process?.pid, false);
  }

  /** Gives all guests that run the time of this machine. */
  async setTime(): Promise<void> {
    for (const known of await Promise.allSettled(this.live.values())) {
      const machine = known.status === 'fulfilled' ? known.value : undefined;
      if (machine?.isGoing === true) {
        await this.setTimeOf(machine);
      }
    }
  }

  /** One that is paused gets it when it goes on. */
  private async setTimeOf(machine: Machine): Promise<void> {
    try {
      await ((await machine.state()) === 'running' ? machine.setTime() : undefined);
    } catch (error) {
      this.options.log.warn({ name: machine.name, error: String(error) }, 'the clock of a guest was not set');
    }
  }

  /** Lets go of all; they run on. */
  async close(): Promise<void> {
    const all = [...this.live.values()];
    this.live.clear();
    for (const machine of await Promise.allSettled(all)) {
      if (machine.status === 'fulfilled') {
        machine.value?.close();
      }
    }
  }

  private async adopt(record: RuntimeRecord): Promise<Machine | undefined> {
    const process = await this.findProcess(record);
    if (process === undefined) {
      return undefined;
    }
    if (record.starting === true && !this.own.has(record.plan.name)) {
      await this.endUnfinished(record, process);
      return undefined;
    }
    const { sockets } = this.options.store.files.of(record.plan.name);
    const hopeless = (): string | undefined => (isRunning(process) ? undefined : 'QEMU has ended');
    try {
      const qmp = await QmpClient.connect(sockets.qmp, { timeoutMs: adoptTimeoutMs, hopeless });
      this.options.log.info({ name: record.plan.name, pid: process.pid }, 'microVM taken over');
      await this.options.store.update(record.plan.name, (known) =>
        known.process?.pid === process.pid ? undefined : { ...known, process },
      );
      const machine = this.connect(record, qmp, process);
      machine.isGoing = true;
      await machine.console.adopt();
      await machine.network.adopt();
      await this.closeLeft(machine);
      // Nobody has seen whether this machine slept meanwhile.
      void this.setTimeOf(machine);
      return machine;
    } catch (error) {
      // One that ends closes its sockets before it is gone.
      const isEnding = error instanceof BerthError && error.code === 'runtime_unavailable';
      if (isEnding ? await waitUntilGone(process, adoptTimeoutMs) : !isRunning(process)) {
        return undefined;
      }
      throw error;
    }
  }

  /** What an engine that was killed was copying. */
  private async closeLeft({ name, qmp }: Machine): Promise<void> {
    try {
      const disks = await closeLeftViews(qmp);
      if (disks.length > 0) {
        this.options.log.info(
          { name, disks },
          'what an engine has left of copies of a microVM is taken away',
        );
      }
    } catch (error) {
      this.options.log.warn({ name, error: String(error) }, 'what was left of copies of a microVM stays');
    }
  }

  /** The engine that started it was killed before its guest got going: nothing of it is anybody's yet. */
  private async endUnfinished(record: RuntimeRecord, process: ProcessIdentity): Promise<void> {
    const { name } = record.plan;
    this.options.log.warn({ name, pid: process.pid }, 'a microVM whose start was cut off is ended');
    await killProcess(process);
    await this.options.store.change(name, { process: undefined, starting: undefined });
  }

  private async findProcess(record: RuntimeRecord): Promise<ProcessIdentity | undefined> {
    if (record.process !== undefined && isRunning(record.process)) {
      return record.process;
    }
    const { pidFile, sockets } = this.options.store.files.of(record.plan.name);
    const pid = Number.parseInt((await readIfPresent(pidFile)) ?? '', 10);
    if (Number.isNaN(pid) || pid <= 0) {
      return undefined;
    }
    const process = identityOf(pid);
    return isRunning(process) && (await isMachine(sockets.qmp, record.id)) ? process : undefined;
  }

  private connect(record: RuntimeRecord, qmp: QmpClient, process: ProcessIdentity): Machine {
    const { store, privateKey, log } = this.options;
    const { name } = record.plan;
    const changed = (): void => this.report(record, 'resumed');
    const flooded = (where: string): void => {
      log.warn({ name }, `a guest floods ${where}`);
      changed();
    };
    const files = store.files.of(name);
    const shares = record.launch?.shares ?? [];
    const machine = new Machine({
      ...{ name, qmp, process, files, privateKey, log },
      shares,
      changed,
      flooded,
    });
    qmp.onEvent((event) => this.seen(record, machine, event));
    void qmp.closed.then(() => this.lost(record, machine));
    return machine;
  }

  private seen(record: RuntimeRecord, machine: Machine, { event, data }: QmpEvent): void {
    machine.hasShutDown ||= event === 'SHUTDOWN';
    if (event === 'RESUME') {
      machine.isHalted = false;
    }
    if (event === 'BLOCK_IO_ERROR') {
      machine.isHalted ||= data.action === 'stop';
      this.options.log.warn({ name: record.plan.name, ...data }, 'a disk of a microVM failed');
    }
    if (machine.isGoing && (event === 'STOP' || event === 'RESUME')) {
      this.report(record, event === 'STOP' ? 'paused' : 'resumed');
    }
  }

  /** The connection ended: mostly because QEMU did. */
  private async lost(record: RuntimeRecord, machine: Machine): Promise<void> {
    const { name } = record.plan;
    const current = this.live.get(name);
    if (current === undefined || (await current) !== machine) {
      return;
    }
    this.live.delete(name);
    try {
      if (await waitUntilGone(machine.process, endTimeoutMs)) {
        await this.ended(record, machine.process.pid, machine.hasShutDown);
      }
    } catch (error) {
      this.options.log.warn({ name, error: String(error) }, 'the end of a microVM was not written down');
    }
  }

  /** Notes the end, unless the runtime was started anew meanwhile. */
  private async ended(ended: RuntimeRecord, pid: number | undefined, clean: boolean): Promise<void> {
    const { name } = ended.plan;
    const exitCode = clean ? 0 : killedExitCode;
    const noted = await this.options.store.update(name, (record) =>
      record.process === undefined || (pid !== undefined && record.process.pid !== pid)
        ? undefined
        : { ...record, process: undefined, exitCode },
    );
    if (noted !== undefined) {
      this.report(noted, 'stopped');
    } else if ((await this.options.store.find(name)) === undefined) {
      // Whoever ended it has removed its files as well.
      this.report(ended, 'removed');
    }
  }
}
