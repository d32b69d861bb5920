/**
 * A runtime product in memory. It stands in for what the real ones won't do on demand: an image that is missing,
 * a start that fails, a daemon that goes away, a step that takes as long as the test wants.
 */
import { PassThrough, type Duplex, type Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { BerthError } from '../../../src/api/errors';
import type { DriverFeatures } from '../../../src/api/engine/features';
import type { Limits } from '../../../src/api/workspaces/schemas';
import type {
  BuiltWith,
  CommitPlan,
  DirectEndpoint,
  Driver,
  DriverEvent,
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
  RuntimeState,
  StartPlan,
} from '../../../src/backend/drivers/driver';
import { refuseUnsupported } from '../../../src/backend/drivers/contract/support';
import type { VolumeFiles } from '../../../src/backend/files/volume-files';
import { runFake, type FakeCommand } from './fake-exec';
import { fakeFeatures } from './fake-features';
import { FakeImages } from './fake-images';
import { copyInto, newRuntime, type Mutable } from './fake-runtime';
import { FakeVolumes } from './fake-volumes';
import { Gates, type Gate } from './gates';

export class FakeDriver implements Driver {
  readonly kind = 'container' as const;
  features: DriverFeatures = fakeFeatures;
  readonly images = new FakeImages((what, of, signal) => this.act(what, of, signal));
  readonly volumes = new FakeVolumes((what, of) => this.act(what, of));
  readonly runtimes = new Map<string, Mutable<RuntimeInfo>>();
  readonly plans = new Map<string, RuntimePlan>();
  readonly configured = new Map<string, StartPlan>();
  /** Everything that was asked for, as `verb name`. */
  readonly calls: string[] = [];
  readonly attachedCounts = new Map<string, number>();
  /** What commands do, by the first word that is known. */
  readonly commands = new Map<string, FakeCommand>();
  readonly execs: ExecPlan[] = [];
  /** The daemon does not answer. */
  down = false;
  killsOnStop = false;
  /** The daemon is on another machine, or its containers have no network: only `dial` leads into them. */
  isElsewhere = false;
  identity: Awaited<ReturnType<Driver['engine']>>;
  /** What it says beside being available. */
  remark: Partial<Awaited<ReturnType<Driver['status']>>> = {};
  /** What answers at a port of every runtime; nobody listens where there is none. */
  readonly servers = new Map<number, () => Duplex>();
  /** What every configure says that it could not write. */
  notWritten: readonly string[] = [];
  closed = false;
  /** What the next start has to say. */
  readonly startNotes: string[] = [];
  /** What the next move to other ports can't carry along. */
  leftBehind: readonly string[] = [];
  readonly aside = new Map<string, Mutable<RuntimeInfo>>();
  /** What every runtime has outside of volumes. */
  own: OwnFiles = { files: 312, bytes: 84 * 1024 * 1024 };
  /** What every runtime was built with, for an adoption. */
  built: BuiltWith = {
    ...{ env: {}, limits: {}, network: 'on', docker: false, dockerVolume: undefined },
    ...{ ports: [], mounts: [], others: [] },
  };
  private readonly failures = new Map<string, unknown[]>();
  private readonly gates = new Gates();
  private readonly listeners = new Set<(event: DriverEvent) => void>();
  private made = 0;
  private starts = 0;

  /** The next calls of that verb fail with these errors, one each. */
  fail(verb: string, ...errors: unknown[]): void {
    this.failures.set(verb, [...(this.failures.get(verb) ?? []), ...errors]);
  }

  /** The next call of that verb waits until the gate is opened, or it is cancelled. */
  hold(verb: string): Gate {
    return this.gates.hold(verb);
  }

  /** What the next engine finds when this one is killed now: a driver of its own, on what is there. */
  afterKill(): FakeDriver {
    const next = new FakeDriver();
    copyInto(next.runtimes, this.runtimes);
    copyInto(next.aside, this.aside);
    copyInto(next.plans, this.plans);
    copyInto(next.volumes.known, this.volumes.known);
    copyInto(next.images.known, this.images.known);
    next.made = this.made;
    // Where there is no other one, what was aside is back.
    for (const [name, info] of next.aside) {
      if (!next.runtimes.has(name)) {
        next.runtimes.set(name, info);
        next.aside.delete(name);
      }
    }
    return next;
  }

  emit(event: DriverEvent): void {
    this.listeners.forEach((listener) => listener(event));
  }

  get listenerCount(): number {
    return this.listeners.size;
  }

  /** Done by another tool: the runtime is as given, and an event tells of it. */
  behindOurBack(name: string, state: RuntimeState | 'removed'): void {
    const info = this.get(name);
    if (state === 'removed') {
      this.runtimes.delete(name);
    } else {
      this.setState(info, state);
    }
    const what = state === 'running' ? 'started' : state;
    this.emit({ type: 'runtime', name, workspace: info.workspace, what });
  }

  /** A container that another tool made. */
  addForeign(name: string, volumes: string[] = [], workspace?: string): void {
    const target = '/home/workspace';
    this.runtimes.set(name, {
      ...newRuntime(name, workspace, 'theirs:1', 'sha256:theirs'),
      id: `foreign-${name}`,
      volumes: volumes.map((volume) => ({ volume, target, readOnly: false })),
    });
  }

  status(): ReturnType<Driver['status']> {
    const said = { ...(this.isElsewhere && { target: 'box' }), ...this.remark };
    return this.act('status', '').then(() => ({ available: true, product: 'Fake 1', ...said }));
  }

  watch(listener: (event: DriverEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** As with Docker, a list does not tell when a runtime was started. */
  async list(): Promise<RuntimeInfo[]> {
    await this.act('list', '');
    return [...this.runtimes.values()].map((info) => ({ ...info, startedAt: undefined }));
  }

  async inspect(name: string): Promise<RuntimeInfo | undefined> {
    await this.act('inspect', name);
    const info = this.runtimes.get(name);
    return info === undefined ? undefined : { ...info };
  }

  async builtWith(name: string): Promise<BuiltWith | undefined> {
    await this.act('builtWith', name);
    return this.runtimes.has(name) ? this.built : undefined;
  }

  async create(plan: RuntimePlan, signal: AbortSignal): Promise<RuntimeInfo> {
    refuseUnsupported(plan, this);
    await this.act('create', plan.name, signal);
    const imageId = await this.images.resolve(plan.image);
    if (imageId === undefined) {
      throw new BerthError('image_missing', `No image ${plan.image}.`);
    }
    if (this.runtimes.has(plan.name)) {
      throw new BerthError('exists', `There is a container ${plan.name}.`);
    }
    const named = plan.mounts.filter(({ kind }) => kind === 'volume').map(({ source }) => source);
    for (const volume of [plan.homeVolume, plan.dockerVolume, ...named]) {
      if (volume !== undefined) {
        this.volumes.add(volume, plan.workspace);
      }
    }
    const info = {
      ...newRuntime(plan.name, plan.workspace, plan.image, imageId),
      id: `runtime-${(this.made += 1)}`,
      sshPort: plan.sshPort,
      volumes: [{ volume: plan.homeVolume, target: '/home/workspace', readOnly: false }],
    };
    this.plans.set(plan.name, plan);
    this.runtimes.set(plan.name, info);
    return { ...info };
  }

  async start(name: string): Promise<StartInfo> {
    await this.act('start', name);
    const info = this.get(name);
    if (info.state === 'stopped') {
      this.setState(info, 'running');
    }
    const notes = this.startNotes.splice(0);
    return { ...info, ...(notes.length > 0 && { notes }) };
  }

  async configure(name: string, plan: StartPlan, signal: AbortSignal): Promise<readonly string[]> {
    await this.act('configure', name, signal);
    this.configured.set(name, plan);
    return this.notWritten;
  }

  async startDocker(name: string, signal: AbortSignal): Promise<void> {
    await this.act('startDocker', name, signal);
  }

  async stop(name: string, graceMs: number): Promise<{ killed: boolean }> {
    await this.act('stop', name);
    const info = this.runtimes.get(name);
    if (info !== undefined && info.state !== 'stopped') {
      this.setState(info, 'stopped');
      this.configured.delete(name);
    }
    return { killed: this.killsOnStop && graceMs > 0 };
  }

  async pause(name: string): Promise<void> {
    await this.act('pause', name);
    this.get(name, ['running', 'paused']).state = 'paused';
  }

  async resume(name: string): Promise<void> {
    await this.act('resume', name);
    this.get(name, ['running', 'paused']).state = 'running';
  }

  async remove(name: string): Promise<void> {
    await this.act('remove', name);
    this.runtimes.delete(name);
    this.aside.delete(name);
  }

  async refit(plan: RuntimePlan, signal: AbortSignal): Promise<RefitInfo> {
    await this.act('refit', plan.name, signal);
    // One that is paused goes on from its state on disk.
    const info = this.get(plan.name, ['stopped', 'paused']);
    this.plans.set(plan.name, plan);
    info.sshPort = plan.sshPort;
    const named = plan.mounts.filter(({ kind }) => kind === 'volume').map(({ source }) => source);
    for (const volume of [plan.homeVolume, plan.dockerVolume, ...named]) {
      if (volume !== undefined) {
        this.volumes.add(volume, plan.workspace);
      }
    }
    return { ...info, leftBehind: this.leftBehind };
  }

  async setAside(name: string): Promise<void> {
    await this.act('setAside', name);
    this.aside.set(name, this.get(name, ['stopped']));
    this.runtimes.delete(name);
  }

  async takeBack(name: string): Promise<boolean> {
    await this.act('takeBack', name);
    const before = this.aside.get(name);
    if (before !== undefined) {
      this.runtimes.set(name, before);
      this.aside.delete(name);
    }
    return before !== undefined;
  }

  async dropAside(name: string): Promise<void> {
    await this.act('dropAside', name);
    this.aside.delete(name);
  }

  async ownFiles(name: string): Promise<OwnFiles | undefined> {
    await this.act('ownFiles', name);
    return this.runtimes.has(name) ? this.own : undefined;
  }

  async setLimits(name: string, limits: Limits): Promise<{ needsRebuild: string[]; needsRestart: string[] }> {
    await this.act('setLimits', name);
    return {
      needsRebuild: limits.shmMiB === undefined ? [] : ['shmMiB'],
      needsRestart: limits.pids === undefined ? [] : ['pids'],
    };
  }

  async setPorts(name: string, ports: readonly PlannedPort[]): Promise<{ needsRebuild: string[] }> {
    await this.act('setPorts', name);
    const plan = this.plans.get(name);
    return { needsRebuild: isDeepStrictEqual(plan?.ports ?? [], ports) ? [] : ['ports'] };
  }

  async commit(
    name: string,
    { image, without }: CommitPlan,
    progress: (p: PullProgress) => void,
    signal: AbortSignal,
  ): Promise<string> {
    progress({ done: 1, total: 2, current: image });
    await this.act('commit', [name, image, ...without].join(' '), signal);
    this.images.known.set(image, `sha256:${image}`);
    return `sha256:${image}`;
  }

  async rootFiles(name: string): Promise<VolumeFiles> {
    await this.act('rootFiles', name);
    return this.volumes.files(`root of ${name}`);
  }

  async exec(name: string, plan: ExecPlan): Promise<ExecSession> {
    await this.act('exec', `${name} ${plan.argv.join(' ')}`);
    this.execs.push(plan);
    const known = plan.argv.find((word) => this.commands.has(word)) ?? '';
    return runFake(this.commands.get(known) ?? {});
  }

  async dial(name: string, port: number): Promise<Duplex> {
    await this.act('dial', `${name} ${port}`);
    this.get(name, ['running']);
    return this.servers.get(port)?.() ?? new PassThrough().end();
  }

  async directEndpoint(name: string): Promise<DirectEndpoint | undefined> {
    await this.act('directEndpoint', name);
    const { sshPort } = this.get(name);
    return this.isElsewhere || sshPort === undefined ? undefined : { host: '127.0.0.1', port: sshPort };
  }
  readonly engine = () => Promise.resolve(this.identity);
  readonly target = () => Promise.resolve(this.isElsewhere ? 'box' : 'local');
  readonly carries = (name: string): boolean => this.isElsewhere && this.runtimes.has(name);

  async logs(name: string, options: LogOptions): Promise<Readable> {
    await this.act('logs', name);
    const stream = new PassThrough();
    stream.write(`tail ${options.tail}\n`);
    if (!options.follow) {
      stream.end();
    }
    return stream;
  }

  async stats(name: string): ReturnType<Driver['stats']> {
    await this.act('stats', name);
    const at = new Date().toISOString();
    return {
      ...{ cpuPercent: 1, memoryBytes: 2, memoryLimitBytes: 3 },
      ...{ pids: 4, networkRxBytes: 5, networkTxBytes: 6, at },
    };
  }

  async attached(name: string): Promise<number> {
    await this.act('attached', name);
    return this.attachedCounts.get(name) ?? 0;
  }

  refreshBundles(plan: RuntimePlan, signal: AbortSignal): Promise<void> {
    return this.act('refreshBundles', plan.name, signal);
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  private get(name: string, states?: readonly RuntimeState[]): Mutable<RuntimeInfo> {
    const info = this.runtimes.get(name);
    if (info === undefined) {
      throw new BerthError('not_found', `There is no container ${name}.`);
    }
    if (states?.includes(info.state) === false) {
      throw new BerthError('illegal_state', `The container ${name} is ${info.state}.`);
    }
    return info;
  }

  private setState(info: Mutable<RuntimeInfo>, state: RuntimeState): void {
    if (state === 'running') {
      this.starts += 1;
      info.startedAt = new Date(1_700_000_000_000 + this.starts * 1000).toISOString();
    }
    info.state = state;
  }

  private async act(verb: string, of: string, signal?: AbortSignal): Promise<void> {
    this.calls.push(`${verb} ${of}`.trim());
    await Promise.resolve();
    await this.gates.pass(verb, signal);
    const failures = this.failures.get(verb) ?? [];
    if (failures.length > 0) {
      throw failures.shift();
    }
    if (this.down) {
      throw new BerthError('runtime_unavailable', 'The daemon does not answer.');
    }
  }
}
