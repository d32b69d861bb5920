/** Starts machines: from a template where there is one, else by booting; or where they stood when they were saved. */
import { BerthError } from '../../../../api/errors';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Log } from '../../../machine/log';
import type { Host, HostTools } from './host';
import { StaysPaused, watchForHalt } from './halts';
import { withKit, type KeptKits } from '../kit/kept-kits';
import { launch, type Launched } from './launch';
import type { Machine } from './machine';
import type { Machines } from './machines';
import type { DiskStore } from '../parts';
import type { Bases } from '../rootfs/bases';
import { knownCause } from './launch-errors';
import { killProcess, lastWords } from '../qemu/process';
import type { QmpClient } from '../qemu/qmp';
import { incomingInput, isIntact, waitUntilRestored } from '../qemu/saved-state';
import { bundleFile, diskMounts, isShared, launchOf, machinePlan } from '../runtimes/runtime-plan';
import type { Launch, RuntimeRecord } from '../runtimes/runtime-record';
import type { RuntimeStore } from '../runtimes/runtime-store';
import type { Templates } from './templates';
import type { Share, Shares } from '../virtiofs/shares';

const bootTimeoutMs = 120_000;
const restoreTimeoutMs = 60_000;
/** One that runs on the processor answers at once; one that is emulated on a busy machine takes its time. */
const answerTimeoutMs = { accelerated: 5_000, emulated: 20_000 };
/** Reasons that no other way of starting mends. */
const lasting: readonly string[] = ['in_use', 'no_space', 'capacity', 'cancelled'];

const startAnew = 'Stop it and start it again: what was in its memory is lost, its volumes are not.';
const putBack = `Put it back, e.g. from a backup. Where there is none: ${startAnew}`;

export interface StarterDeps {
  store: RuntimeStore;
  machines: Machines;
  host: Host;
  templates: Templates;
  disks: DiskStore;
  shares: Shares;
  bases: Bases;
  kept: KeptKits;
  log: Log;
  /** Guests may reach this machine's loopback, those that are started from now on. */
  opensLoopback: () => boolean;
}

/** What is to be known of a machine that goes on from where it was paused. */
export interface GoingOn {
  /** Called before QEMU has the disks open. */
  opens(): void;
  /** Called before the guest goes on. */
  begins(): Promise<void>;
  /** Its disks are ahead of what was saved. */
  hasWritten(): Promise<boolean>;
}

/** How a machine comes to life: by booting, or from a state. */
interface Way {
  state?: string;
  going?: GoingOn | undefined;
  /** Somebody waits no more: nothing is to run. */
  cancel?: AbortSignal | undefined;
}

export class Starter {
  constructor(private readonly deps: StarterDeps) {}

  /** Has the guest as far as it gets without knowing whose it is. */
  async start(record: RuntimeRecord, cancel?: AbortSignal): Promise<Machine> {
    const { host, store, templates, bases, kept, log } = this.deps;
    await bases.require(record);
    const tools = await host.tools();
    const files = store.files.of(record.plan.name);
    const wanted = launchOf(record, tools, files, await this.attach(record));
    const startedAt = new Date().toISOString();
    const fresh = await store.change(record.plan.name, {
      ...{
        launch: wanted,
        startedAt,
        starting: true,
        exitCode: undefined,
        paused: undefined,
        unsynced: undefined,
      },
    });
    // What is saved knows nothing of daemons that serve folders.
    const isShared = wanted.shares !== undefined;
    await (isShared ? kept.drop(record.plan.name) : kept.link(fresh));
    const template = isShared ? undefined : await templates.find(wanted);
    if (template !== undefined) {
      try {
        return await this.fromState(fresh, wanted, tools, { state: template, cancel });
      } catch (error) {
        if (error instanceof BerthError && lasting.includes(error.code)) {
          throw error;
        }
        log.warn(
          { name: record.plan.name, error: String(error) },
          'a template did not start: it is made anew',
        );
        await templates.discard(wanted);
      }
    }
    const machine = await this.boot(fresh, wanted, tools, { cancel });
    if (!isShared) {
      templates.make(wanted);
    }
    return machine;
  }

  /**
   * Where it stood when it was saved; resolves when the guest has shown that it lives. When this fails nothing runs.
   * Throws `not_supported` for another version of QEMU, `gone` without its kernel, `illegal_state` for a damaged state.
   */
  async restore(record: RuntimeRecord, going: GoingOn): Promise<Machine> {
    const { host, store } = this.deps;
    const programs = await host.programs();
    if (record.launch?.build !== programs.build) {
      throw new BerthError('not_supported', `${record.plan.name} was paused under another version of QEMU.`, {
        hint: startAnew,
      });
    }
    // Its guest has the disk of the tools mounted.
    const kit = await this.deps.kept.find(record);
    if (kit === undefined) {
      const folder = dirname(record.launch.kernel);
      const what = `The kernel that ${record.plan.name} was started with is gone, or another one is in its place`;
      throw new BerthError('gone', `${what}: ${folder}.`, { hint: putBack });
    }
    await this.deps.bases.require(record);
    await this.attach(record, 'mounted');
    const { state } = store.files.of(record.plan.name);
    if (!(await isIntact(state))) {
      throw new BerthError('illegal_state', `What was saved of ${record.plan.name} is damaged: ${state}.`, {
        hint: putBack,
      });
    }
    return this.fromState(record, withKit(record.launch, kit), { programs }, { state, going });
  }

  /** Takes every volume of the plan for this runtime; answers their files by their serials, folders left out. */
  private async attach(
    { plan }: Pick<RuntimeRecord, 'plan'>,
    as: 'unmounted' | 'mounted' = 'unmounted',
  ): Promise<Map<string, string>> {
    const { disks, store } = this.deps;
    const files = store.files.of(plan.name);
    const paths = new Map<string, string>();
    for (const each of diskMounts(plan).filter((mount) => !isShared(mount))) {
      const { serial, volume, mount, index, readOnly } = each;
      const holder = { workspace: plan.workspace, runtime: plan.name, readOnly };
      if (volume !== undefined) {
        const attached =
          as === 'mounted' ? disks.attachMounted(volume, holder) : disks.attach(volume, holder);
        paths.set(serial, await attached);
      } else if (mount?.kind === 'archive') {
        paths.set(serial, bundleFile(files, index));
      } else if (mount !== undefined) {
        paths.set(serial, await disks.attachImage(mount.source, holder));
      }
    }
    return paths;
  }

  /** For a machine that runs no more: nobody serves folders to it. */
  async unshare({ plan }: RuntimeRecord): Promise<void> {
    const { shares, store } = this.deps;
    const shared = diskMounts(plan).filter(isShared);
    if (shared.length > 0) {
      await shares.end(store.files.of(plan.name), shared);
    }
  }

  private async share({ plan }: RuntimeRecord): Promise<void> {
    const { shares, store } = this.deps;
    await shares.start(store.files.of(plan.name), sharesOf(plan));
  }

  private async boot(record: RuntimeRecord, wanted: Launch, tools: HostTools, way: Way): Promise<Machine> {
    return this.launched(record, wanted, tools, way, async (machine, signal) => {
      const control = await machine.controlPort();
      await control.waiting(bootTimeoutMs, signal);
    });
  }

  private async fromState(
    record: RuntimeRecord,
    wanted: Launch,
    tools: Pick<HostTools, 'programs'>,
    way: Way,
  ): Promise<Machine> {
    const { going } = way;
    return this.launched(record, wanted, tools, way, async (machine, signal) => {
      const { qmp } = machine;
      await waitUntilRestored(qmp, restoreTimeoutMs);
      await reportSizes(qmp, wanted);
      // It may have been saved just while it had no filter.
      await qmp.execute('set_link', { name: 'net', up: true });
      if (going === undefined) {
        await qmp.execute('cont');
        await this.answers(machine, wanted.acceleration, signal);
      } else {
        await this.goOn(record, machine, signal, going);
      }
    });
  }

  /** Starts QEMU, writes down that it runs, and gets the guest going; nothing runs any more when that fails. */
  private async launched(
    record: RuntimeRecord,
    wanted: Launch,
    { programs }: Pick<HostTools, 'programs'>,
    { state, going, cancel }: Way,
    getGoing: (machine: Machine, signal: AbortSignal) => Promise<void>,
  ): Promise<Machine> {
    const { store, machines, host } = this.deps;
    const { name } = record.plan;
    const files = store.files.of(name);
    const plan = machinePlan(record, wanted, {
      ...{ architecture: host.architecture, files },
      ...(state !== undefined && { incoming: incomingInput }),
      opensLoopback: this.deps.opensLoopback(),
    });
    await mkdir(files.folder, { recursive: true, mode: 0o700 });
    await store.files.ensureSocketFolder(files.folder);
    const launching = machines.start(name, async () => {
      await this.share(record);
      going?.opens();
      const launched = await launch(programs, plan, files, state);
      return { ...(await this.noted(name, launched)), qmp: launched.qmp };
    });
    const machine = await launching.catch(async (error: unknown) => {
      await this.unshare(record);
      throw error;
    });
    const { qmp } = machine;
    const ended = new AbortController();
    void qmp.closed.then(() => ended.abort());
    try {
      const filtering = plan.isFiltered ? machine.network.start() : undefined;
      await unlessCancelled(Promise.all([getGoing(machine, ended.signal), filtering]), name, cancel);
      await store.change(name, { starting: undefined });
      machine.isGoing = true;
      machines.report(record, 'started');
      return machine;
    } catch (error) {
      qmp.close();
      await killProcess(machine.process);
      await this.unshare(record);
      const said = [await lastWords(files.qemuLog), await lastWords(files.consoleLog)].join('\n').trim();
      throw await this.explain(record, error, said);
    }
  }

  /** Throws when the guest of a template does not answer. */
  private async answers(
    machine: Machine,
    acceleration: Launch['acceleration'],
    signal: AbortSignal,
  ): Promise<void> {
    const timeoutMs = acceleration === 'tcg' ? answerTimeoutMs.emulated : answerTimeoutMs.accelerated;
    await (await machine.controlPort()).alive(timeoutMs, signal);
  }

  private async goOn(
    record: RuntimeRecord,
    machine: Machine,
    signal: AbortSignal,
    going: GoingOn,
  ): Promise<void> {
    const { halted, release } = watchForHalt(machine);
    try {
      await going.begins();
      await machine.qmp.execute('cont');
      await this.showsLife(record, machine, signal, { going, halted });
    } finally {
      release();
    }
  }

  /**
   * Throws when the guest shows no life. It may be of an earlier version, and is asked what all of them answer. One that
   * writes lives, however slow it is.
   */
  private async showsLife(
    record: RuntimeRecord,
    machine: Machine,
    signal: AbortSignal,
    { going, halted }: { going: GoingOn; halted: Promise<'halted'> },
  ): Promise<void> {
    try {
      // A server that nobody connects to would be in the way of the next.
      const seen = await Promise.race([machine.ssh.open(), halted]);
      if (seen === 'halted' && !(await going.hasWritten())) {
        throw await StaysPaused.because(machine, record);
      }
    } catch (error) {
      const isRefusal = error instanceof BerthError && ['internal', 'no_space'].includes(error.code);
      const isAlive = isRefusal || (!signal.aborted && (await going.hasWritten()));
      if (error instanceof StaysPaused || !isAlive) {
        throw error;
      }
    }
  }

  private async noted(name: string, { process, qmp }: Launched) {
    try {
      const record = await this.deps.store.change(name, { process: process.identity });
      return { record, process: process.identity };
    } catch (error) {
      qmp.close();
      await killProcess(process.identity);
      throw error;
    }
  }

  private async explain(record: RuntimeRecord, error: unknown, said: string): Promise<unknown> {
    await this.deps.machines.kill(record);
    if (error instanceof GivenUp || error instanceof StaysPaused) {
      return error;
    }
    const reason = error instanceof Error ? error.message : String(error);
    const ofQemu = await lastWords(this.deps.store.files.of(record.plan.name).qemuLog);
    const known = knownCause(record.plan, `${reason}\n${ofQemu}`, error);
    if (known !== undefined) {
      return known;
    }
    const line = said.replace(/[\s\p{Cc}\u2028-\u202e\u2066-\u2069]+/gu, ' ').trim();
    const details = line === '' ? '' : ` Its last output: ${line.slice(-500)}`;
    return new BerthError('runtime_unavailable', `${record.plan.name} did not start: ${reason}${details}`, {
      first: `Its log says more: \`berth logs ${record.plan.workspace}\`.`,
      remedy: 'start',
      cause: error,
    });
  }
}

/** Nobody waits for the start any more. */
class GivenUp extends BerthError {
  constructor(name: string) {
    super('cancelled', `Cancelled: the start of ${name}.`);
  }
}

/** What `work` comes to, or `GivenUp` at once. */
async function unlessCancelled(work: Promise<unknown>, name: string, cancel?: AbortSignal): Promise<void> {
  let release = (): void => undefined;
  const cancelled = new Promise<never>((_resolve, reject) => {
    const giveUp = (): void => reject(new GivenUp(name));
    cancel?.addEventListener('abort', giveUp, { once: true });
    release = () => cancel?.removeEventListener('abort', giveUp);
    if (cancel?.aborted === true) {
      giveUp();
    }
  });
  try {
    await Promise.race([work, cancelled]);
  } finally {
    release();
  }
}

/** The guest has seen placeholders where the real disks are now: it gets their sizes. */
async function reportSizes(qmp: QmpClient, { disks }: Launch): Promise<void> {
  const sizes = sizesOf(await qmp.execute('query-named-block-nodes', { flat: true }));
  for (const { serial, file, readOnly } of disks) {
    const size = sizes.get(`disk-${serial}`);
    if (file !== undefined && !readOnly && size !== undefined) {
      await qmp.execute('block_resize', { 'node-name': `disk-${serial}`, size });
    }
  }
}

/** Bytes by node (BlockDeviceInfo of qapi/block-core.json). */
function sizesOf(answer: unknown): Map<string, number> {
  const nodes = Array.isArray(answer) ? (answer as unknown[]) : [];
  return new Map(
    nodes.flatMap((node) => {
      const { 'node-name': name, image } = node as {
        'node-name'?: string;
        image?: { 'virtual-size'?: number };
      };
      const size = image?.['virtual-size'];
      return name === undefined || size === undefined ? [] : [[name, size] as const];
    }),
  );
}

function sharesOf(plan: RuntimeRecord['plan']): Share[] {
  return diskMounts(plan).flatMap(({ serial, volume, mount, readOnly }) =>
    volume === undefined || mount?.folder === undefined
      ? []
      : [{ serial, volume, readOnly, folder: mount.folder }],
  );
}
