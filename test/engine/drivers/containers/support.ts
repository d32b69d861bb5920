/** What the tests of the container driver share: a driver of its own installation, and a clean machine afterwards. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import Dockerode from 'dockerode';
import { pack as packTar } from 'tar-stream';
import { ContainerDriver } from '../../../../src/backend/drivers/containers/driver';
import { toReadable } from '../../../../src/backend/drivers/containers/engine/streams';
import type { ExecPlan, RuntimePlan, StartPlan } from '../../../../src/backend/drivers/driver';

const run = promisify(execFile);
export const imagesDirectory = resolve(__dirname, '../../../../../images');
export const quiet = {
  debug: (): void => undefined,
  info: (): void => undefined,
  warn: (): void => undefined,
  error: (): void => undefined,
};

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** One installation with its own keys. `dispose` removes all that carries its label, and says what was left. */
export class Bench {
  readonly docker = new Dockerode({ socketPath: '/var/run/docker.sock' });
  readonly installation = `test-${randomBytes(4).toString('hex')}`;
  readonly prefix = `t${randomBytes(3).toString('hex')}`;
  readonly driver: ContainerDriver;
  private count = 0;
  private readonly images: string[] = [];

  private constructor(
    readonly folder: string,
    readonly hostKey: string,
    readonly hostPublicKey: string,
    readonly clientPublicKey: string,
  ) {
    this.driver = this.another();
  }

  static async open(): Promise<Bench> {
    const folder = await mkdtemp(join(tmpdir(), 'berth-driver-'));
    for (const name of ['host', 'client']) {
      await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', join(folder, name)]);
    }
    const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
    return new Bench(folder, await read('host'), await read('host.pub'), await read('client.pub'));
  }

  /** A second driver of the same installation, e.g. of an engine that was started anew. */
  another(env?: Readonly<Record<string, string | undefined>>): ContainerDriver {
    const own = { home: this.folder, platform: process.platform, uid: process.getuid?.() ?? 0 };
    return new ContainerDriver({
      ...(env !== undefined && { environment: { env: { ...process.env, ...env }, ...own } }),
      installation: this.installation,
      imagesDirectory,
      log: quiet,
      dockerHost: () => undefined,
    });
  }

  name(): string {
    this.count += 1;
    return `${this.prefix}-${this.count}`;
  }

  async plan(changes: Partial<RuntimePlan> = {}): Promise<RuntimePlan> {
    const workspace = changes.workspace ?? this.name();
    return {
      name: `workspace-${workspace}`,
      workspace,
      image: 'workspace:latest',
      env: {},
      limits: {},
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
    return { hostKey: this.hostKey, authorizedKeys: [this.clientPublicKey], env: {}, files: [], ...changes };
  }

  /** Created, started and configured. */
  async running(changes: Partial<RuntimePlan> = {}, start: Partial<StartPlan> = {}): Promise<RuntimePlan> {
    const plan = await this.plan(changes);
    await this.driver.create(plan, never());
    await this.driver.start(plan.name);
    await this.driver.configure(plan.name, this.startPlan(start), never());
    return plan;
  }

  /** Arguments for the real OpenSSH client, with the host key pinned. */
  async sshOptions(plan: RuntimePlan): Promise<string[]> {
    const knownHosts = join(this.folder, `known-${plan.sshPort}`);
    const key = this.hostPublicKey.split(' ').slice(0, 2).join(' ');
    await writeFile(knownHosts, `[127.0.0.1]:${plan.sshPort} ${key}\n`);
    const options = [
      `UserKnownHostsFile=${knownHosts}`,
      'StrictHostKeyChecking=yes',
      'BatchMode=yes',
      'ConnectTimeout=10',
      'LogLevel=ERROR',
    ];
    return ['-F', 'none', '-i', join(this.folder, 'client'), ...options.flatMap((option) => ['-o', option])];
  }

  async ssh(plan: RuntimePlan, command: string, user = 'workspace'): Promise<Ran> {
    const options = await this.sshOptions(plan);
    return execute('ssh', [...options, '-p', String(plan.sshPort), `${user}@127.0.0.1`, command]);
  }

  /** How many containers of ours with that role have been made meanwhile. */
  async countContainers(role: string, work: () => Promise<void>): Promise<number> {
    const label = [`berth.role=${role}`, `berth.installation=${this.installation}`];
    const since = Date.now() / 1000;
    await work();
    const events = await this.docker.getEvents({
      ...{ since, until: Date.now() / 1000 },
      filters: { type: ['container'], event: ['create'], label },
    });
    return (await text(toReadable(events))).split('\n').filter((line) => line.trim() !== '').length;
  }

  /** Runs a command by the driver's exec and collects what it says. */
  async exec(name: string, plan: Partial<ExecPlan> & { argv: readonly string[] }, stdin = ''): Promise<Ran> {
    const session = await this.driver.exec(name, { user: 'workspace', ...plan });
    const [stdout, stderr] = [text(session.stdout), text(session.stderr)];
    session.stdin.on('error', () => undefined).end(stdin);
    return { code: await session.exit, stdout: await stdout, stderr: await stderr };
  }

  /** An image from scratch with a static busybox: the least that can be called a distribution. */
  async bareImage(
    extra: { name: string; content: string; mode?: number }[] = [],
    changes = ['ENV PATH=/bin:/usr/bin', 'ENV FROM_IMAGE=yes', 'USER 1234', 'ENTRYPOINT ["/bin/false"]'],
  ): Promise<string> {
    const pack = packTar();
    const directories = ['bin', 'etc', 'tmp', 'root', 'usr', 'usr/bin', 'home', 'home/workspace'];
    for (const name of directories) {
      pack.entry({ name, type: 'directory', mode: 0o755 });
    }
    pack.entry({ name: 'bin/busybox', mode: 0o755 }, await readFile('/bin/busybox'));
    for (const applet of ['sh', 'cat', 'ls', 'id', 'env', 'echo', 'sleep']) {
      pack.entry({ name: `bin/${applet}`, type: 'symlink', linkname: 'busybox' });
    }
    for (const { name, content, mode } of extra) {
      pack.entry({ name, mode: mode ?? 0o644 }, content);
    }
    pack.finalize();
    return this.importImage(Readable.from(pack, { objectMode: false }), changes);
  }

  async importImage(tar: Readable, changes: string[]): Promise<string> {
    const repo = `berth-${this.prefix}`;
    const tag = String(this.images.length);
    const answer = await this.docker.importImage(tar, { fromSrc: '-', repo, tag, changes });
    await text(toReadable(answer));
    this.images.push(`${repo}:${tag}`);
    return `${repo}:${tag}`;
  }

  /** An image that a test made by itself: removed in the end. */
  forget(image: string): void {
    this.images.push(image);
  }

  async dispose(): Promise<void> {
    await this.driver.close();
    const filters = { label: [`berth.installation=${this.installation}`] };
    const containers = await this.docker.listContainers({ all: true, filters });
    const internal = await this.docker.listContainers({
      all: true,
      filters: { label: [`berth.engine=${this.installation}`] },
    });
    await Promise.all(
      [...containers, ...internal].map(({ Id }) =>
        this.docker
          .getContainer(Id)
          .remove({ force: true, v: true })
          .catch(() => undefined),
      ),
    );
    const { Volumes: volumes } = await this.docker.listVolumes({ filters });
    await Promise.all(volumes.map(({ Name }) => this.docker.getVolume(Name).remove({ force: true })));
    for (const image of this.images) {
      await this.docker
        .getImage(image)
        .remove({ force: true })
        .catch(() => undefined);
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}

export function never(): AbortSignal {
  return new AbortController().signal;
}

export async function text(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    chunks.push(Buffer.from(chunk as Buffer));
  }
  return Buffer.concat(chunks).toString('utf8');
}

export function execute(program: string, argv: string[], input = ''): Promise<Ran> {
  return new Promise((done) => {
    const child = execFile(
      program,
      argv,
      { timeout: 60_000, maxBuffer: 1 << 26 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        done({ code, stdout, stderr });
      },
    );
    // One that ends at once reads nothing.
    child.stdin?.on('error', () => undefined).end(input);
  });
}

/** A port that nobody listens on, out of the range that workspaces of a user get. */
export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.on('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Asks until it is so; fails after `timeoutMs` saying what it waited for. */
export async function eventually(
  what: string,
  ask: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await ask())) {
    if (Date.now() > end) {
      throw new Error(`Timed out after ${timeoutMs} ms waiting for ${what}.`);
    }
    await new Promise((wake) => setTimeout(wake, 25));
  }
}
