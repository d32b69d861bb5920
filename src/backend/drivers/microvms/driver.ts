/** Workspaces as virtual machines with a kernel of their own, run by QEMU. */
import type { Duplex, Readable } from 'node:stream';
import { BerthError } from '../../../api/errors';
import { localTarget } from '../../../api/rules/runtimes';
import { rootFilesOf } from '../../../api/rules/root-files';
import type { Limits, WorkspaceStats } from '../../../api/workspaces/schemas';
import type { VolumeFiles } from '../../files/volume-files';
import type { Log } from '../../machine/log';
import type {
  BuiltWith,
  CommitPlan,
  DirectEndpoint,
  Driver,
  DriverEvent,
  DriverHealth,
  ExecPlan,
  ExecSession,
  ImageStore,
  LogOptions,
  OwnFiles,
  PullProgress,
  PlannedPort,
  RuntimeInfo,
  RuntimePlan,
  StartPlan,
  Starting,
} from '../driver';
import { unavailable } from '../contract/observation';
import { refuseUnsupported } from '../contract/support';
import { MicrovmCaches } from './caches';
import { countAttached } from './guest/attached';
import { refreshBundles, type BundleBuilder } from './runtimes/bundles';
import { ClockWatch } from './machines/clock-watch';
import { configureMachine } from './guest/configure';
import { dialMachine, directEndpointOf } from './guest/dial';
import { startDockerInside } from './guest/docker-inside';
import { openExec } from './guest/exec';
import { microvmFeatures } from './features';
import { Host } from './machines/host';
import { MicrovmImages } from './rootfs/images';
import { LiveCopies } from './live/live-copies';
import { liveFiles } from './guest/live-files';
import { readLogs } from './guest/logs';
import { KeptKits } from './kit/kept-kits';
import { kernelWords } from './kit/kit-parts';
import { Machines } from './machines/machines';
import type { DiskStore, GuestKits, HolderLookup, RootImages } from './parts';
import { toBuiltWith } from './runtimes/runtime-info';
import type { Acceleration } from './qemu/command-line';
import { ownQemuEnvironment, type QemuEnvironment } from './qemu/programs';
import { Bases } from './rootfs/bases';
import { MicrovmFiles } from './runtimes/runtime-files';
import { diskMounts } from './runtimes/runtime-plan';
import { RuntimeStore } from './runtimes/runtime-store';
import { Runtimes } from './runtimes/runtimes';
import { Starter } from './machines/starter';
import { RootCommits } from './rootfs/root-commits';
import { StoppedRoots } from './rootfs/stopped-roots';
import { Stats } from './guest/stats';
import { Suspender } from './machines/suspender';
import { ObservedDisks } from './disks/observed-disks';
import { Templates } from './machines/templates';
import { Shares } from './virtiofs/shares';

export interface MicrovmDriverOptions {
  /** The state directory. */
  home: string;
  /** Where what this machine can do is remembered, unless in the state directory. */
  cache?: string;
  log: Log;
  kits: GuestKits;
  roots: RootImages;
  /** The disks, which ask us who has them. */
  disks: (holders: HolderLookup) => DiskStore;
  buildBundle: BundleBuilder;
  /** Where images are listed, pulled and built. */
  containerImages: ImageStore;
  /** OpenSSH private key of this installation. */
  privateKey: () => Promise<string>;
  /** The folder `images/tools/agent`. */
  agentDirectory: string;
  environment?: QemuEnvironment;
  /** Instead of what a probe finds. */
  acceleration?: Acceleration;
  /** Guests may reach this machine's loopback, those that are started from now on. */
  opensLoopback?: () => boolean;
}

export class MicrovmDriver implements Driver {
  readonly kind = 'microvm';
  readonly features = microvmFeatures;
  readonly images: MicrovmImages;
  readonly volumes: DiskStore;
  readonly templates: Templates;
  readonly caches: MicrovmCaches;
  private readonly host: Host;
  private readonly files: MicrovmFiles;
  private readonly store: RuntimeStore;
  private readonly machines: Machines;
  private readonly suspender: Suspender;
  private readonly runtimes: Runtimes;
  private readonly measurements = new Stats();
  private readonly clock: ClockWatch;
  /** Of machines that run or have run. */
  private readonly roots = new Map<string, VolumeFiles>();
  private readonly stoppedRoots: StoppedRoots;
  private readonly live: LiveCopies;
  private readonly commits: RootCommits;
  private readonly listeners = new Set<(event: DriverEvent) => void>();

  constructor(private readonly options: MicrovmDriverOptions) {
    const { home, cache, log, kits, roots, privateKey, acceleration } = options;
    const files = new MicrovmFiles(home, cache);
    const store = new RuntimeStore(files, log);
    const environment = options.environment ?? ownQemuEnvironment();
    const host = new Host({
      ...{ files, kits, environment, log },
      ...(acceleration !== undefined && { acceleration }),
    });
    const templates = new Templates({ host, files, log });
    const machines = new Machines({ store, log, privateKey, report: (event) => this.report(event) });
    const holders: HolderLookup = {
      isGone: (runtime) => this.runtimes.isGone(runtime),
      stateOf: async (runtime) => (await this.runtimes.inspect(runtime))?.state ?? 'unknown',
      liveFiles: (runtime, volume) => this.liveFiles(runtime, volume),
      copyHeld: (runtime, volume, draft, job) => this.live.ofVolume(runtime, volume, draft, job),
    };
    const disks = new ObservedDisks(options.disks(holders), (event) => this.report(event));
    const shares = new Shares(environment);
    const qemuImg = async (): Promise<string> => (await host.programs()).image;
    const bases = new Bases({ store, images: roots, qemuImg, log });
    const { opensLoopback = () => false } = options;
    const kept = new KeptKits(store, log);
    const parts = { store, machines, host, templates, disks, shares, bases, kept, log, opensLoopback };
    const starter = new Starter(parts);
    const suspender = new Suspender({ ...parts, starter });
    this.runtimes = new Runtimes({ ...parts, starter, suspender, images: roots });
    const whileStopped: Runtimes['whileStopped'] = (name, work) => this.runtimes.whileStopped(name, work);
    this.live = new LiveCopies({
      ...{ store, machines, qemuImg, log },
      whilePaused: (...asked) => this.runtimes.whilePaused(...asked),
    });
    this.stoppedRoots = new StoppedRoots({ store, bases, qemuImg, whileStopped });
    this.commits = new RootCommits({
      ...{ store, bases, images: roots, live: this.live, qemuImg, whileStopped },
      stateOf: (record) => this.runtimes.stateOf(record),
    });
    this.images = new MicrovmImages({
      ...{ containers: options.containerImages, roots, kits },
      built: () => host.forget(),
    });
    this.clock = new ClockWatch((ms) => {
      log.info({ ms }, 'the time of day has jumped: guests are given it');
      void machines.setTime();
    });
    this.volumes = disks;
    this.templates = templates;
    this.caches = new MicrovmCaches({ home, cache: cache ?? home, store, kits });
    this.host = host;
    this.files = files;
    this.store = store;
    this.machines = machines;
    this.suspender = suspender;
  }

  async status({ afresh } = { afresh: false }): Promise<DriverHealth> {
    try {
      if (afresh) {
        await this.host.probeAgain();
      }
      const { version } = await this.host.programs();
      const kit = await this.host.kit();
      const endpoint = kernelWords(kit?.version);
      const [obstacle, acceleration] = await Promise.all([this.host.obstacle(), this.host.acceleration()]);
      const remedies: DriverHealth['remedies'] = [
        ...(obstacle?.remedy === undefined ? [] : [obstacle.remedy]),
        ...(kit === undefined ? (['prepare-guest-kit'] as const) : []),
      ];
      return {
        ...{ available: true, product: `QEMU ${version}`, endpoint },
        ...(obstacle !== undefined && { message: `emulated: ${obstacle.reason}` }),
        ...(obstacle?.hint !== undefined && { hint: obstacle.hint }),
        ...(remedies.length > 0 && { remedies }),
        ...(acceleration !== undefined && { acceleration }),
      };
    } catch (error) {
      return unavailable(error, ['install-qemu']);
    }
  }

  /** Nothing to connect to: machines tell as soon as they are known, which `list` sees to. */
  watch(listener: (event: DriverEvent) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  async list(): Promise<RuntimeInfo[]> {
    await this.templates.tidy();
    return this.runtimes.list();
  }

  inspect(name: string): Promise<RuntimeInfo | undefined> {
    return this.runtimes.inspect(name);
  }

  async builtWith(name: string): Promise<BuiltWith | undefined> {
    const record = await this.store.find(name);
    return record === undefined ? undefined : toBuiltWith(record.plan);
  }

  async create(plan: RuntimePlan, signal: AbortSignal): Promise<RuntimeInfo> {
    refuseUnsupported(plan, this);
    return this.runtimes.create(plan, signal);
  }

  start(name: string, { signal }: Starting = {}): Promise<RuntimeInfo> {
    return this.live.goingOn(name, () => this.at(name).start(name, signal));
  }

  async configure(name: string, plan: StartPlan, signal: AbortSignal): Promise<readonly string[]> {
    const machine = await this.runtimes.running(name, 'be configured');
    const { consoleLog } = this.files.of(name);
    return configureMachine(machine, await this.store.get(name), plan, { consoleLog, signal });
  }

  async startDocker(name: string, signal: AbortSignal): Promise<void> {
    await startDockerInside(await this.runtimes.running(name, 'run Docker'), signal);
  }

  stop(name: string, graceMs: number): Promise<{ killed: boolean }> {
    return this.live.without(name, () => this.at(name).stop(name, graceMs));
  }

  pause(name: string): Promise<void> {
    return this.live.without(name, () => this.runtimes.pause(name));
  }

  resume(name: string): Promise<void> {
    return this.live.goingOn(name, () => this.runtimes.resume(name));
  }

  async remove(name: string): Promise<void> {
    this.roots.delete(name);
    await this.stoppedRoots.forget(name);
    await this.live.without(name, () => this.runtimes.remove(name));
  }

  refit(plan: RuntimePlan): Promise<RuntimeInfo> {
    return this.at(plan.name).replacements.refit(plan);
  }

  setAside(name: string): Promise<void> {
    return this.at(name).replacements.setAside(name);
  }

  takeBack(name: string): Promise<boolean> {
    return this.runtimes.replacements.takeBack(name);
  }

  dropAside(name: string): Promise<void> {
    return this.runtimes.replacements.dropAside(name);
  }

  ownFiles(name: string): Promise<OwnFiles | undefined> {
    return this.runtimes.ownFiles(name);
  }

  setLimits(name: string, limits: Limits): Promise<{ needsRebuild: string[]; needsRestart: string[] }> {
    return this.at(name).setLimits(name, limits);
  }

  setPorts(name: string, ports: readonly PlannedPort[]): Promise<{ needsRebuild: string[] }> {
    return this.at(name).setPorts(name, ports);
  }

  commit(
    name: string,
    plan: CommitPlan,
    progress: (p: PullProgress) => void,
    signal: AbortSignal,
  ): Promise<string> {
    this.stoppedRoots.giveWay(name);
    return this.commits.commit(name, plan, progress, signal);
  }

  async rootFiles(name: string): Promise<VolumeFiles> {
    const record = await this.store.get(name);
    const { plan } = record;
    if (await this.runtimes.isGone(name)) {
      return this.stoppedRoots.files(record);
    }
    await this.runtimes.running(name, 'show what it has outside of its volumes');
    const known = this.roots.get(name);
    const files =
      known ??
      liveFiles({
        ...{ volume: rootFilesOf(plan.workspace), target: '/', agentDirectory: this.options.agentDirectory },
        machine: () => this.runtimes.running(name, 'show its files'),
      });
    this.roots.set(name, files);
    return files;
  }

  async exec(name: string, plan: ExecPlan): Promise<ExecSession> {
    const machine = await this.runtimes.running(name, 'run commands');
    const session = await openExec(machine.ssh, name, plan);
    machine.sessions += 1;
    const ended = (): void => void (machine.sessions -= 1);
    session.exit.then(ended, ended);
    return session;
  }

  async dial(name: string, port: number): Promise<Duplex> {
    const machine = await this.runtimes.running(name, 'be connected to');
    return dialMachine(machine, (await this.store.get(name)).plan, port);
  }

  target(): Promise<string> {
    return Promise.resolve(localTarget);
  }

  engine(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  /** QEMU itself listens on its ports. */
  carries(): boolean {
    return false;
  }

  async directEndpoint(name: string): Promise<DirectEndpoint> {
    return directEndpointOf((await this.store.get(name)).plan);
  }

  async logs(name: string, options: LogOptions): Promise<Readable> {
    const machine = await this.machines.of(await this.store.get(name));
    return readLogs(this.files.of(name).consoleLog, options, machine?.qmp.closed ?? Promise.resolve());
  }

  /** What it takes of CPU, memory and network now. Throws `illegal_state` where it does not run. */
  async stats(name: string): Promise<WorkspaceStats> {
    const record = await this.store.get(name);
    const machine = await this.machines.of(record);
    if (machine === undefined) {
      throw new BerthError('illegal_state', `${name} is stopped: there is nothing to measure.`);
    }
    const isRunning = (await machine.state()) === 'running';
    const most = record.launch?.memoryMiB ?? 0;
    // A lower limit applies now (balloon), a higher one at the next start.
    return this.measurements.of(machine, Math.min(record.plan.limits.memoryMiB ?? most, most), isRunning);
  }

  async attached(name: string): Promise<number> {
    const record = await this.store.get(name);
    const machine = await this.machines.of(record);
    return machine === undefined ? 0 : countAttached(machine);
  }

  refreshBundles(plan: RuntimePlan, signal: AbortSignal, warn?: (text: string) => void): Promise<void> {
    return refreshBundles(plan, this.files.of(plan.name), this.options.buildBundle, signal, warn);
  }

  /** What is being saved is waited for; machines run on. */
  async close(): Promise<void> {
    this.listeners.clear();
    this.measurements.close();
    this.clock.close();
    this.runtimes.close();
    await this.live.close();
    await Promise.all([this.templates.close(), this.suspender.close(), this.volumes.close()]);
    await Promise.all([this.machines.close(), this.stoppedRoots.close()]);
    await this.store.files.removeSocketFolder();
  }

  /** For what takes a runtime's lock and is not to wait for whoever only looks at its files. */
  private at(name: string): Runtimes {
    this.stoppedRoots.giveWay(name);
    return this.runtimes;
  }

  private report(event: DriverEvent): void {
    [...this.listeners].forEach((listener) => listener(event));
  }

  private async liveFiles(runtime: string, volume: string): Promise<VolumeFiles> {
    const { plan } = await this.store.get(runtime);
    const place = diskMounts(plan).find((mount) => mount.volume === volume);
    if (place === undefined) {
      throw new BerthError('not_found', `${runtime} does not have the volume ${volume}.`);
    }
    return liveFiles({
      ...{ volume, target: place.target, agentDirectory: this.options.agentDirectory },
      machine: () => this.runtimes.running(runtime, 'show its files'),
    });
  }
}
