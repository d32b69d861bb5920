/** Workspaces as containers, through the API that Docker and Podman share. */
import { join } from 'node:path';
import type { Duplex, Readable } from 'node:stream';
import type { DriverFeatures } from '../../../api/engine/features';
import type { Limits, WorkspaceStats } from '../../../api/workspaces/schemas';
import { agentSource, ownFilesModules } from '../../inside/agent-source';
import type { VolumeFiles } from '../../files/volume-files';
import type {
  BuiltWith,
  CommitPlan,
  DirectEndpoint,
  Driver,
  DriverEvent,
  DriverHealth,
  ExecPlan,
  ExecSession,
  LogOptions,
  OwnFiles,
  PullProgress,
  PlannedPort,
  RefitInfo,
  RuntimeInfo,
  StartInfo,
  RuntimePlan,
  StartPlan,
  Whose,
} from '../driver';
import { unavailable } from '../contract/observation';
import { refuseUnsupported } from '../contract/support';
import { countAttached } from './runtime/attached';
import { Bridges } from './runtime/bridges';
import { builtWith } from './runtime/built-with';
import { refreshBundles } from './runtime/bundles';
import { commitContainer } from './images/commit';
import { Claims } from './volumes/claims';
import { configureRuntime } from './runtime/configure';
import { dialContainer, directEndpointOf } from './runtime/dial';
import { startDockerInside } from './runtime/docker-inside';
import { Endpoint } from './engine/endpoint';
import { hostEnvironment, type HostEnvironment } from '../../machine/host-environment';
import { watchEvents } from './engine/events';
import { containerFeatures } from './engine/features';
import { openExec } from './runtime/exec';
import { Helpers } from './engine/helpers';
import { Freezes } from './runtime/freezes';
import { StoreVolume } from './snapshots/store-volume';
import { Unfinished } from './snapshots/unfinished';
import { VolumeSnapshots } from './snapshots/volume-snapshots';
import { ImageExport } from './images/image-export';
import { ContainerImages } from './images/images';
import { EngineKeepers } from './volumes/engine-keepers';
import type { Log } from '../../machine/log';
import { readLogs } from './runtime/logs';
import { ownFilesOf } from './replacement/own-files';
import { Ownership } from './engine/ownership';
import type { AdoptedVolume } from '../../store/adopted-volumes';
import { StateDirectory } from '../../store/state-directory';
import { Replacements } from './replacement/replacements';
import { withoutUnfinished } from './replacement/unfinished';
import { RootFiles } from './runtime/root-files';
import { Runtimes } from './runtime/runtimes';
import { Stats } from './runtime/stats';
import { agentDirectoryOf, toolsVersion } from './tools/images-folder';
import { ToolsVolume } from './tools/tools-volume';
import { ContainerVolumes } from './volumes/volumes';

export interface ContainerDriverOptions {
  /** Id of this installation: on everything the driver makes. */
  installation: string;
  /** Its state directory, for whoever meets what it made. */
  home?: string;
  /** Volumes that the user had this installation take over. */
  isAdopted?: (volume: AdoptedVolume) => boolean;
  /** The folder `images/`. */
  imagesDirectory: string;
  log: Log;
  /** The user's setting, read anew whenever a connection is made. */
  dockerHost: () => string | undefined;
  /** Environment and home that the search for an engine depends on; of this process unless given. */
  environment?: HostEnvironment;
}

/** The driver of one container engine, which is looked for when it is first needed. */
export class ContainerDriver implements Driver {
  readonly kind = 'container';
  readonly images: ContainerImages;
  readonly volumes: ContainerVolumes;
  /** The files of images, and of our tools, for runtimes that are no containers. */
  readonly exports: ImageExport;
  private readonly endpoint: Endpoint;
  private readonly ownership: Ownership;
  private readonly helpers: Helpers;
  private isTidy = false;
  private isPodman = false;
  private readonly freezes: Freezes;
  private readonly snapshots: VolumeSnapshots;
  private readonly runtimes: Runtimes;
  private readonly replacements: Replacements;
  private readonly measurements: Stats;
  private readonly roots: RootFiles;
  private readonly bridges: Bridges;
  private readonly toolsImage: string;
  private readonly keepers: EngineKeepers;
  /** Containers that we started and nobody has configured since, with the time of the start. */
  private readonly unconfigured = new Map<string, string | undefined>();
  private readonly watchers = new Set<() => void>();

  constructor(private readonly options: ContainerDriverOptions) {
    const environment = options.environment ?? hostEnvironment();
    const { log, installation, imagesDirectory } = options;
    this.toolsImage = `berth-tools:${toolsVersion(imagesDirectory)}`;
    this.ownership = new Ownership(installation, options.home, options.isAdopted);
    const folder = options.home === undefined ? {} : { folder: join(options.home, 'ssh') };
    this.endpoint = new Endpoint({ dockerHost: options.dockerHost, environment, log, ...folder });
    this.helpers = new Helpers(this.endpoint, this.ownership);
    const tools = new ToolsVolume(this.endpoint, { image: () => this.toolsImage, log });
    const state = options.home === undefined ? undefined : new StateDirectory(options.home);
    this.freezes = new Freezes(this.endpoint, state?.frozen, log);
    this.runtimes = new Runtimes(this.endpoint, tools, this.ownership, this.freezes);
    const ownFiles = (): Promise<Buffer> => agentSource(agentDirectoryOf(imagesDirectory), ownFilesModules);
    this.replacements = new Replacements(
      this.endpoint,
      this.runtimes,
      this.ownership,
      this.helpers,
      ownFiles,
      log,
    );
    this.measurements = new Stats(this.endpoint);
    this.roots = new RootFiles(this.endpoint, agentDirectoryOf(imagesDirectory));
    this.bridges = new Bridges(this.endpoint, installation, log);
    this.keepers = new EngineKeepers({
      ...{ endpoint: this.endpoint, ownership: this.ownership, installation, log },
      ...{ toolsImage: this.toolsImage, agentDirectory: agentDirectoryOf(imagesDirectory) },
      ready: (volume) => this.snapshots.settled(volume),
    });
    const claims = new Claims(this.endpoint, this.ownership);
    this.snapshots = new VolumeSnapshots({
      ...{
        endpoint: this.endpoint,
        ownership: this.ownership,
        helpers: this.helpers,
        freezes: this.freezes,
        log,
      },
      ...{ image: this.toolsImage, agentDirectory: agentDirectoryOf(imagesDirectory) },
      keepers: () => this.keepers.get(),
      store: new StoreVolume(this.endpoint, this.ownership),
      unfinished: new Unfinished(state?.restoring),
    });
    this.volumes = new ContainerVolumes(
      ...([this.endpoint, () => this.keepers.get(), this.ownership, claims, this.snapshots] as const),
    );
    this.exports = new ImageExport(this.endpoint, this.toolsImage, this.helpers);
    this.images = new ContainerImages(this.endpoint, {
      environment: environment,
      folder: imagesDirectory,
      toolsImage: this.toolsImage,
    });
  }

  get features(): DriverFeatures {
    return containerFeatures(this.isPodman);
  }

  async status(): Promise<DriverHealth> {
    try {
      const { product, host, target, isPodman } = await this.endpoint.call(
        'ping',
        async (docker, connection) => {
          await docker.ping();
          return connection;
        },
      );
      this.isPodman = isPodman;
      return { available: true, product, endpoint: host, target };
    } catch (error) {
      const { sought } = this.endpoint;
      const health = unavailable(error, this.endpoint.remediesFor(error));
      return { ...health, ...(sought !== undefined && { endpoint: sought }) };
    }
  }

  target(): Promise<string> {
    return this.endpoint.target();
  }

  readonly engine = () => this.endpoint.identity();

  watch(listener: (event: DriverEvent) => void): () => void {
    const source = { endpoint: this.endpoint, ownership: this.ownership };
    const end = watchEvents(source, this.options.log, (event) => {
      if (event.type === 'connection' && event.up) {
        void this.tidy();
      }
      listener(event);
    });
    this.watchers.add(end);
    return () => {
      this.watchers.delete(end);
      end();
    };
  }

  async list(): Promise<RuntimeInfo[]> {
    const { replacements, runtimes } = this;
    const found = await withoutUnfinished({ replacements, runtimes }, (name) => this.inspect(name));
    await Promise.all(found.map((info) => this.bridges.followQuietly(info)));
    return found;
  }

  async inspect(name: string): Promise<RuntimeInfo | undefined> {
    // As long as that can't be done a look must still be possible; a start is refused.
    await this.replacements.healUnfinished(name).catch(() => undefined);
    const seen = await this.runtimes.inspect(name);
    const isHealed = seen === undefined && (await this.replacements.heal(name));
    const info = isHealed ? await this.runtimes.inspect(name) : seen;
    if (info === undefined) {
      this.bridges.close(name);
    } else {
      await this.bridges.followQuietly(info);
    }
    return info;
  }

  async create(plan: RuntimePlan, signal: AbortSignal): Promise<RuntimeInfo> {
    refuseUnsupported(plan, this);
    return this.replacements.create(plan, signal);
  }

  builtWith(name: string): Promise<BuiltWith | undefined> {
    return builtWith(this.endpoint, name);
  }

  async start(name: string, whose: Whose = {}): Promise<StartInfo> {
    await this.replacements.settle(name);
    await this.volumesSettled(name);
    const { info, wasStopped } = await this.runtimes.start(name, whose.anyOwner);
    if (wasStopped) {
      this.unconfigured.set(name, info.startedAt);
    }
    const notes = this.replacements.warningsOf(name);
    return notes.length === 0 ? info : { ...info, notes };
  }

  async configure(name: string, plan: StartPlan, signal: AbortSignal): Promise<readonly string[]> {
    await this.runtimes.refuseForeign(name);
    const startedAt = this.unconfigured.get(name);
    this.unconfigured.delete(name);
    const reach = (info: RuntimeInfo): Promise<void> => this.bridges.follow(info, true);
    return configureRuntime(this.endpoint, name, plan, { startedAt, reach, signal });
  }

  async startDocker(name: string, signal: AbortSignal): Promise<void> {
    await this.runtimes.refuseForeign(name);
    return startDockerInside(this.endpoint, name, signal);
  }

  async stop(name: string, graceMs: number, whose: Whose = {}): Promise<{ killed: boolean }> {
    const outcome = await this.runtimes.stop(name, graceMs, whose.anyOwner);
    this.bridges.close(name);
    return outcome;
  }

  pause(name: string): Promise<void> {
    return this.runtimes.pause(name);
  }

  async resume(name: string): Promise<void> {
    await this.volumesSettled(name);
    return this.runtimes.resume(name);
  }

  remove(name: string, { anyOwner = false }: Whose = {}): Promise<void> {
    this.unconfigured.delete(name);
    this.bridges.close(name);
    return this.replacements.remove(name, anyOwner);
  }

  refit(plan: RuntimePlan, signal: AbortSignal): Promise<RefitInfo> {
    this.unconfigured.delete(plan.name);
    return this.replacements.refit(plan, signal);
  }

  setAside(name: string, { anyOwner = false }: Whose = {}): Promise<void> {
    return this.replacements.setAside(name, anyOwner);
  }

  takeBack(name: string): Promise<boolean> {
    this.unconfigured.delete(name);
    this.bridges.close(name);
    return this.replacements.takeBack(name);
  }

  dropAside(name: string): Promise<void> {
    return this.replacements.dropAside(name);
  }

  async ownFiles(name: string, { anyOwner = false }: Whose = {}): Promise<OwnFiles | undefined> {
    const info = await this.runtimes.inspect(name);
    const isOthers = info !== undefined && !anyOwner && (info.owner !== undefined || info.isUnmarked);
    return info === undefined || isOthers ? undefined : ownFilesOf(this.endpoint, this.helpers, name);
  }

  setLimits(name: string, limits: Limits): Promise<{ needsRebuild: string[]; needsRestart: string[] }> {
    return this.runtimes.setLimits(name, limits);
  }

  setPorts(name: string, ports: readonly PlannedPort[]): Promise<{ needsRebuild: string[] }> {
    return this.runtimes.setPorts(name, ports);
  }

  async commit(
    name: string,
    plan: CommitPlan,
    progress: (p: PullProgress) => void,
    signal: AbortSignal,
  ): Promise<string> {
    await this.runtimes.refuseForeign(name);
    progress({ done: 0, total: 0, current: plan.image });
    return commitContainer(this.endpoint, name, plan, signal);
  }

  async rootFiles(name: string): Promise<VolumeFiles> {
    await this.runtimes.refuseForeign(name);
    return this.roots.of(name, await this.inspect(name));
  }

  async exec(name: string, plan: ExecPlan): Promise<ExecSession> {
    await this.runtimes.refuseForeign(name);
    return openExec(this.endpoint, name, plan);
  }

  async dial(name: string, port: number): Promise<Duplex> {
    await this.runtimes.refuseForeign(name);
    return dialContainer(this.endpoint, name, port);
  }

  async directEndpoint(name: string): Promise<DirectEndpoint | undefined> {
    return directEndpointOf(this.endpoint, name, await this.runtimes.inspect(name));
  }

  carries(name: string): boolean {
    return this.bridges.has(name);
  }

  async logs(name: string, options: LogOptions): Promise<Readable> {
    await this.runtimes.refuseForeign(name);
    return readLogs(this.endpoint, name, options);
  }

  stats(name: string): Promise<WorkspaceStats> {
    return this.measurements.of(name);
  }

  async attached(name: string): Promise<number> {
    return (await countAttached(this.endpoint, name)) + this.bridges.clientsOf(name);
  }

  refreshBundles(plan: RuntimePlan, signal: AbortSignal, warn?: (text: string) => void): Promise<void> {
    return refreshBundles(
      { endpoint: this.endpoint, keepers: () => this.keepers.get(), ownership: this.ownership },
      plan,
      signal,
      warn,
    );
  }

  async close(): Promise<void> {
    this.watchers.forEach((end) => end());
    this.watchers.clear();
    this.measurements.close();
    this.bridges.closeAll();
    await this.keepers.close();
    this.endpoint.close();
  }

  /** None of them is held still, or is being put back. */
  private async volumesSettled(name: string): Promise<void> {
    const volumes = (await this.runtimes.inspect(name))?.volumes ?? [];
    await Promise.all(volumes.map(({ volume }) => this.snapshots.settled(volume)));
  }

  /** What an engine that was killed has left. */
  private async tidy(): Promise<void> {
    try {
      await this.freezes.heal();
      if (this.isTidy) {
        return;
      }
      this.isTidy = true;
      await Promise.all([this.keepers.get(), this.helpers.sweep()]);
    } catch (error) {
      this.options.log.warn({ error: String(error) }, 'containers of a dead engine may be left');
    }
  }
}
