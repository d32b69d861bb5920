/** What the tests of the microVM driver share: a state directory of its own with real QEMU, and nothing left of it. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DriverEvent, ExecPlan, RuntimePlan, StartPlan } from '../../../../src/backend/drivers/driver';
import type { MicrovmDriver } from '../../../../src/backend/drivers/microvms/driver';
import { makePair } from '../../../../src/backend/ssh/key-pair';
import { runProgram, type Ran } from '../../../support/programs';
import { machinesOf } from '../../../support/runtimes/microvms';
import { testKit, wireDriver, type WiredDriver } from './driver-parts';

/** As all tests of behaviour, which share a template. */
const memoryMiB = 256;

export const never = (): AbortSignal => new AbortController().signal;

export class Bench {
  readonly events: DriverEvent[] = [];
  readonly warnings: string[] = [];
  /** The setting of that name. */
  opensLoopback = false;
  private wired: WiredDriver;
  private readonly prefix = `m${randomBytes(3).toString('hex')}`;
  private readonly host = makePair('host');
  private readonly client = makePair('client');
  private count = 0;

  private constructor(readonly home: string) {
    this.wired = this.another();
  }

  get driver(): MicrovmDriver {
    return this.wired.driver;
  }

  static async open(): Promise<Bench> {
    await testKit();
    const bench = new Bench(await mkdtemp(join(tmpdir(), 'berth-vm-')));
    await writeFile(join(bench.home, 'client'), bench.client.private, { mode: 0o600 });
    return bench;
  }

  /** A driver of the same state directory, e.g. of an engine that was started anew. */
  private another(): WiredDriver {
    const keep = (fields: object, message: string): void =>
      void this.warnings.push(`${message}: ${JSON.stringify(fields)}`);
    const log = { debug: () => undefined, info: () => undefined, warn: keep, error: keep };
    const wired = wireDriver(
      this.home,
      log,
      () => Promise.resolve(this.client.private),
      () => this.opensLoopback,
    );
    wired.driver.watch((event) => this.events.push(event));
    return wired;
  }

  /** The engine ends, and another one begins. */
  async restartEngine(meanwhile: () => void | Promise<void> = () => undefined): Promise<void> {
    await this.wired.close();
    await meanwhile();
    this.wired = this.another();
  }

  async plan(changes: Partial<RuntimePlan> = {}): Promise<RuntimePlan> {
    this.count += 1;
    const workspace = changes.workspace ?? `${this.prefix}-${this.count}`;
    return {
      name: `workspace-${workspace}`,
      workspace,
      image: 'workspace:latest',
      env: { COLOUR: 'red', BOTH: 'spec' },
      limits: { memoryMiB },
      docker: false,
      network: 'on',
      homeVolume: `workspace-${workspace}`,
      dockerVolume: undefined,
      mounts: [],
      sshPort: await freePort(),
      ...changes,
    };
  }

  startPlan(changes: Partial<StartPlan> = {}): StartPlan {
    return {
      hostKey: this.host.private,
      authorizedKeys: [this.client.public.trim()],
      env: { COLOUR: 'red', BOTH: 'spec', SECRET: "it's\nso" },
      files: [],
      ...changes,
    };
  }

  async started(plan: RuntimePlan): Promise<void> {
    await this.driver.start(plan.name);
    await this.driver.configure(plan.name, this.startPlan(), never());
  }

  /** Created, started and configured. */
  async running(changes: Partial<RuntimePlan> = {}): Promise<RuntimePlan> {
    const plan = await this.plan(changes);
    await this.driver.create(plan, never());
    await this.started(plan);
    return plan;
  }

  async exec(
    name: string,
    plan: Partial<ExecPlan> & Pick<ExecPlan, 'argv'>,
    input: string | Buffer = '',
  ): Promise<Ran> {
    const session = await this.driver.exec(name, { user: 'workspace', ...plan });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    session.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    session.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    session.stdin.on('error', () => undefined);
    session.stdin.end(input);
    const code = await session.exit;
    return { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
  }

  shell(name: string, script: string, user = 'workspace'): Promise<Ran> {
    return this.exec(name, { argv: ['sh', '-c', script], user });
  }

  /** With the real OpenSSH client, the host key pinned. */
  async ssh(plan: RuntimePlan, command: string, input = ''): Promise<Ran> {
    const knownHosts = join(this.home, `known-${plan.sshPort}`);
    const key = this.host.public.split(' ').slice(0, 2).join(' ');
    await writeFile(knownHosts, `[127.0.0.1]:${plan.sshPort} ${key}\n`);
    const options = [
      `UserKnownHostsFile=${knownHosts}`,
      ...['StrictHostKeyChecking=yes', 'BatchMode=yes', 'LogLevel=ERROR', 'ConnectTimeout=60'],
    ];
    const argv = ['-F', 'none', '-i', join(this.home, 'client'), '-p', String(plan.sshPort)];
    return runProgram(
      'ssh',
      [...argv, ...options.flatMap((option) => ['-o', option]), 'workspace@127.0.0.1', command],
      { input, timeoutMs: 90_000 },
    );
  }

  folderOf(plan: RuntimePlan): string {
    return join(this.home, 'workspaces', plan.workspace);
  }

  /** QEMU's process, from the record. */
  pidOf(plan: RuntimePlan): number {
    const record = JSON.parse(readFileSync(join(this.folderOf(plan), 'runtime.json'), 'utf8')) as {
      process?: { pid: number };
    };
    return record.process?.pid ?? 0;
  }

  /** Removes all, and fails when a process of this state directory is left. */
  async dispose(): Promise<void> {
    for (const { name } of await this.driver.list()) {
      await this.driver.remove(name);
    }
    await this.wired.close();
    const left = await machinesOf(this.home);
    left.forEach((pid) => process.kill(pid, 'SIGKILL'));
    await rm(this.home, { recursive: true, force: true, maxRetries: 5 });
    if (left.length > 0) {
      throw new Error(`QEMU was left running: ${left.join(', ')}`);
    }
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
