/**
 * A real engine that really runs containers or microVMs, with a state directory, a port range and names of its own,
 * and a count of what it leaves behind.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import Dockerode from 'dockerode';
import type { Operation } from '../../../src/api/operations/schemas';
import type { ExecRequest, Workspace, WorkspaceCreate } from '../../../src/api/workspaces/schemas';
import type { PortRange } from '../../../src/backend/ssh/ports';
import type { EngineClient } from '../../../src/client/engine-client';
import { takeCensus, type Census } from './census';
import { EngineProcess } from './engine-process';
import { homeBelow } from '../conditions';
import { ownPortRange } from '../ports';
import { runProgram, succeed, type Ran, type RunOptions } from '../programs';
import { runtimeUnderTest } from '../runtimes';
import { timeoutFactor, testTimeoutMs } from '../runtimes/columns';
import type { RuntimeUnderTest } from '../runtimes/runtime-under-test';
import { until } from '../wait';

export type SimpleVerb =
  'start' | 'stop' | 'restart' | 'pause' | 'resume' | 'archive' | 'restore' | 'recover';

export interface HarnessOptions {
  docker?: Dockerode;
  env?: NodeJS.ProcessEnv;
  /** In place of `<folder>/home`. */
  home?: string;
  settings?: Record<string, unknown>;
}

const operationTimeoutMs = 90_000 * timeoutFactor;

/** Asks until the answer is neither undefined nor false. */
export function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  timeoutMs = 30_000,
): Promise<T> {
  return until(what, look, timeoutMs * timeoutFactor, 30);
}

export class EngineHarness {
  readonly prefix = `e${randomBytes(3).toString('hex')}`;
  readonly folder = mkdtempSync(join(tmpdir(), 'berth-engine-'));
  readonly home: string;
  readonly temp = join(this.folder, 'tmp');
  readonly ports: PortRange = ownPortRange(30);
  readonly docker: Dockerode;
  /** Behind the engine's back. */
  readonly runtime: RuntimeUnderTest;
  private engine: EngineProcess | undefined;
  private before: Census | undefined;
  private names = 0;

  constructor(private readonly options: HarnessOptions = {}) {
    this.docker = options.docker ?? new Dockerode();
    this.home = options.home ?? homeBelow(this.folder);
    mkdirSync(this.temp);
    mkdirSync(this.home, { recursive: true, mode: 0o700 });
    this.runtime = runtimeUnderTest(this);
    const { kind } = this.runtime;
    const settings = {
      ...{ schemaVersion: 1, portRange: this.ports, defaultRuntime: kind },
      ...options.settings,
    };
    writeFileSync(join(this.home, 'settings.json'), JSON.stringify(settings), { mode: 0o600 });
  }

  get process(): EngineProcess {
    assert(this.engine, 'the engine was not started');
    return this.engine;
  }

  get client(): EngineClient {
    return this.process.client;
  }

  get sshConfig(): string {
    return join(this.home, 'ssh', 'config');
  }

  /** A name that no other test has. */
  name(): string {
    this.names += 1;
    return `${this.prefix}-${this.names}`;
  }

  /** What the engine is started with. */
  get env(): NodeJS.ProcessEnv {
    return { TMPDIR: this.temp, ...this.runtime.env, ...this.options.env };
  }

  async start(env: NodeJS.ProcessEnv = {}, program?: string): Promise<void> {
    this.engine = await EngineProcess.start(this.home, { ...this.env, ...env }, program);
  }

  /** Ends as by a power cut, and comes back. */
  async killAndRestart(): Promise<void> {
    await this.process.kill();
    await this.start();
  }

  async workspace(name: string): Promise<Workspace> {
    return this.client.call('workspaces.get', { params: { name } });
  }

  async state(name: string): Promise<string> {
    return (await this.workspace(name)).state;
  }

  /** Begins a create; the answer is the operation as it runs. */
  beginCreate(name: string, more: Partial<WorkspaceCreate> = {}): Promise<Operation> {
    const { defaults } = this.runtime;
    const limits = { ...defaults.limits, ...more.limits };
    return this.client.call('workspaces.create', {
      body: { name, ...defaults, ...more, ...(Object.keys(limits).length > 0 && { limits }) },
    });
  }

  async create(more: Partial<WorkspaceCreate> = {}): Promise<Workspace> {
    const name = more.name ?? this.name();
    await this.done(await this.beginCreate(name, more));
    return this.workspace(name);
  }

  /** A named volume of the kind that homes have. */
  async makeVolume(name: string, sizeMiB?: number): Promise<string> {
    const kind = this.runtime.volumeKind;
    await this.client.call('volumes.create', {
      body: { name, kind, ...(sizeMiB !== undefined && { sizeMiB }) },
    });
    return name;
  }

  begin(verb: SimpleVerb, name: string): Promise<Operation> {
    return this.client.call(`workspaces.${verb}`, { params: { name } });
  }

  async verb(verb: SimpleVerb, name: string): Promise<Operation> {
    return this.done(await this.begin(verb, name));
  }

  async delete(name: string, keepVolumes = false): Promise<Operation> {
    return this.done(
      await this.client.call('workspaces.delete', { params: { name }, query: { keepVolumes } }),
    );
  }

  /** Waits for its end; throws its error. */
  async done(operation: Operation): Promise<Operation> {
    return this.client.waitFor(operation, AbortSignal.timeout(operationTimeoutMs));
  }

  untilState(name: string, state: string, timeoutMs?: number): Promise<Workspace> {
    const look = async () => {
      const workspace = await this.workspace(name);
      return workspace.state === state && workspace.operations.length === 0 && workspace;
    };
    return eventually(`${name} is ${state}`, look, timeoutMs);
  }

  /** Runs a command through the API; answers its output, and wants it to succeed. */
  async exec(name: string, argv: string[], more: Partial<ExecRequest> = {}): Promise<string> {
    const result = await this.client.call('workspaces.exec', { params: { name }, body: { argv, ...more } });
    const [out, err] = [result.stdout, result.stderr].map((text) => Buffer.from(text, 'base64').toString());
    assert.equal(result.exitCode, 0, `${argv.join(' ')}: ${out}${err}`);
    return (out ?? '').replace(/\n$/, '');
  }

  /** A POSIX shell in the workspace. */
  sh(name: string, script: string): Promise<string> {
    return this.exec(name, ['sh', '-c', script]);
  }

  sshOptions(): string[] {
    return ['-F', this.sshConfig, '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=15'];
  }

  /** The file under a name without blanks and quotes, for programs that have a syntax of their own. */
  plainly(file: string): string {
    const link = join(this.folder, `link-${basename(file)}`);
    rmSync(link, { force: true });
    symlinkSync(file, link);
    return link;
  }

  /** The real OpenSSH client over the generated config. */
  trySsh(name: string, command: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return runProgram('ssh', [...this.sshOptions(), `berth-${name}`, ...command], options);
  }

  ssh(name: string, command: readonly string[], options: RunOptions = {}): Promise<string> {
    return succeed('ssh', [...this.sshOptions(), `berth-${name}`, ...command], options);
  }

  container(name: string): Dockerode.Container {
    return this.docker.getContainer(`workspace-${name}`);
  }

  /** Starts the engine and counts: what its first start makes (keys, folders) is no leak of the tests. */
  async open(): Promise<void> {
    await this.start();
    const now = await takeCensus(this.area);
    const ofTheProcess = ['home/engine.sock', 'home/engine.lock'];
    this.before = { ...now, processes: [], files: now.files.filter((file) => !ofTheProcess.includes(file)) };
  }

  /** Deletes all workspaces as a user would, ends the engine, and compares. */
  async leavesNothing(): Promise<void> {
    for (const { name, state } of await this.client.call('workspaces.list', {})) {
      if (state !== 'deleting') {
        await this.delete(name);
      }
    }
    const orphans = await this.client.call('engine.orphans', {});
    // Those of others who use this daemon are none of ours.
    assert.deepEqual(
      orphans.filter(({ name }) => name.includes(this.prefix)),
      [],
    );
    await this.process.stop();
    assert.deepEqual(await takeCensus(this.area), this.before);
  }

  /** Removes whatever is left, also after a failed test. */
  async close(): Promise<void> {
    if (this.engine?.isRunning === true) {
      this.engine.signal('SIGCONT');
      await this.engine.kill();
    }
    await this.runtime.clear();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  private get area() {
    const { runtime, home, temp, ports } = this;
    return { runtime, home, temp, ports };
  }
}

/** One engine for all tests of the surrounding `describe`; `leavesNothing` is to be called as its last test. */
export function useEngineHarness(options: HarnessOptions = {}): () => EngineHarness {
  let harness: EngineHarness | undefined;
  before(async function () {
    this.timeout(testTimeoutMs);
    harness = new EngineHarness(options);
    await harness.open();
  });
  after(async function () {
    this.timeout(testTimeoutMs);
    await harness?.close();
  });
  return () => {
    assert(harness);
    return harness;
  };
}

export function itLeavesNothing(harness: () => EngineHarness): void {
  it('leaves no runtime, volume, port, file or process behind', async function () {
    this.timeout(2 * testTimeoutMs);
    await harness().leavesNothing();
  });
}
