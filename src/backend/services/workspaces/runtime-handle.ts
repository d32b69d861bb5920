/** What a workspace runs on, by its record: the one place of services that knows which driver has it, and under which name. */
import type { Readable } from 'node:stream';
import type { Limits, WorkspaceStats } from '../../../api/workspaces/schemas';
import type {
  BuiltWith,
  Driver,
  ExecPlan,
  ExecSession,
  LogOptions,
  OwnFiles,
  PlannedPort,
  RuntimeInfo,
  StartInfo,
  Starting,
  StartPlan,
  Whose,
} from '../../drivers/driver';
import type { VolumeFiles } from '../../files/volume-files';
import type { Drivers } from '../engine/drivers';
import { runtimeNameOf, type WorkspaceRecord } from './record';
import { requireTarget } from './target';

/** How long a runtime has to end its programs before it is killed. */
export const stopGraceMs = 10_000;

/** The runtime of one workspace, there or not: each method is the driver's of that name, and throws what it throws. */
export class RuntimeHandle {
  constructor(
    readonly driver: Driver,
    readonly name: string,
  ) {}

  /** Its connections go through the engine, and break when that ends. */
  get isCarried(): boolean {
    return this.driver.carries(this.name);
  }

  /** What an adoption gives the workspace. */
  builtWith(): Promise<BuiltWith | undefined> {
    return this.driver.builtWith(this.name);
  }

  inspect(): Promise<RuntimeInfo | undefined> {
    return this.driver.inspect(this.name);
  }

  start(options?: Starting): Promise<StartInfo> {
    return this.driver.start(this.name, options);
  }

  configure(plan: StartPlan, signal: AbortSignal): Promise<readonly string[]> {
    return this.driver.configure(this.name, plan, signal);
  }

  startDocker(signal: AbortSignal): Promise<void> {
    return this.driver.startDocker(this.name, signal);
  }

  stop(graceMs = stopGraceMs, whose?: Whose): Promise<{ killed: boolean }> {
    return this.driver.stop(this.name, graceMs, whose);
  }

  pause(): Promise<void> {
    return this.driver.pause(this.name);
  }

  resume(): Promise<void> {
    return this.driver.resume(this.name);
  }

  remove(): Promise<void> {
    return this.driver.remove(this.name);
  }

  setAside(whose?: Whose): Promise<void> {
    return this.driver.setAside(this.name, whose);
  }

  takeBack(): Promise<boolean> {
    return this.driver.takeBack(this.name);
  }

  dropAside(): Promise<void> {
    return this.driver.dropAside(this.name);
  }

  ownFiles(whose?: Whose): Promise<OwnFiles | undefined> {
    return this.driver.ownFiles(this.name, whose);
  }

  setLimits(limits: Limits): Promise<{ needsRebuild: string[]; needsRestart: string[] }> {
    return this.driver.setLimits(this.name, limits);
  }

  setPorts(ports: readonly PlannedPort[]): Promise<{ needsRebuild: string[] }> {
    return this.driver.setPorts(this.name, ports);
  }

  rootFiles(): Promise<VolumeFiles> {
    return this.driver.rootFiles(this.name);
  }

  exec(plan: ExecPlan): Promise<ExecSession> {
    return this.driver.exec(this.name, plan);
  }

  logs(options: LogOptions): Promise<Readable> {
    return this.driver.logs(this.name, options);
  }

  stats(): Promise<WorkspaceStats> {
    return this.driver.stats(this.name);
  }

  attached(): Promise<number> {
    return this.driver.attached(this.name);
  }
}

/** Of a workspace that is to be, on a driver that has its volume. */
export const runtimeOn = (driver: Driver, workspace: string): RuntimeHandle =>
  new RuntimeHandle(driver, runtimeNameOf(workspace));

/** Makes the handles. */
export class Runtimes {
  /** Where workspaces were seen whose container engine has another name than on record: `requireTarget`. */
  private readonly found = new Map<string, string>();

  constructor(private readonly drivers: Drivers) {}

  /** Throws `not_supported` where this engine has no such driver. */
  of(record: Pick<WorkspaceRecord, 'name' | 'spec'>): RuntimeHandle {
    return runtimeOn(this.drivers.of(record.spec), record.name);
  }

  /** The same for whoever begins to work with it. Throws `WorkspaceElsewhere` where its driver works on another machine now. */
  async reach(record: WorkspaceRecord): Promise<RuntimeHandle> {
    const runtime = this.of(record);
    await requireTarget(record, runtime.driver, runtime.name, this.found);
    return runtime;
  }
}
