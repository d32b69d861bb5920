/** Runs the real `berth` against a real engine and a real Docker, with a state directory of its own. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { dirname, join } from 'node:path';
import Dockerode from 'dockerode';
import { EngineClient } from '../../../src/client/engine-client';
import { socketPath } from '../../../src/client/endpoint';
import { homeBelow } from '../../support/conditions';
import { until } from '../../support/wait';

export const docker = new Dockerode();

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  input?: string | Buffer;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
}

export function distribution(from = __dirname): string {
  return existsSync(join(from, 'dist', 'cli.js')) ? join(from, 'dist') : distribution(dirname(from));
}

const ownCli = process.env.BERTH_CLI_PATH ?? join(distribution(), 'cli.js');
const timeoutMs = 90_000;

/** An account that is not the one of the tests, and the program where that account reaches it. */
export interface Account {
  uid: number;
  gid: number;
  cli: string;
}

export class Berth {
  /** Starts every name that a test makes, so that all of it can be found again. */
  readonly prefix = `t${randomBytes(3).toString('hex')}`;
  private made?: string;
  private client?: EngineClient;
  private readonly cli: string;

  constructor(
    private readonly account?: Account,
    private readonly env: NodeJS.ProcessEnv = {},
  ) {
    this.cli = account?.cli ?? ownCli;
  }

  /** Made when it is first asked for, as a suite whose tests were all left out removes nothing. */
  get folder(): string {
    return (this.made ??= this.makeFolder());
  }

  get home(): string {
    return homeBelow(this.folder);
  }

  private makeFolder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'berth-cli-'));
    if (this.account) {
      chownSync(folder, this.account.uid, this.account.gid);
    }
    return folder;
  }

  /** Starts the program; who calls waits for it. */
  spawn(argv: readonly string[], options: RunOptions = {}): ChildProcessWithoutNullStreams {
    return spawn(process.execPath, [this.cli, ...argv], this.spawnOptions(options));
  }

  async run(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const child = this.spawn(argv, options);
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    return finished(child, `berth ${argv.join(' ')}`);
  }

  /** Runs a script of sh: `$0` and `$1` start this program, what is given comes after. */
  async shell(script: string, given: readonly string[], input: string): Promise<Outcome> {
    const child = spawn('sh', ['-c', script, process.execPath, this.cli, ...given], this.spawnOptions({}));
    child.stdin.end(input);
    return finished(child, script);
  }

  /** Runs it and wants it to succeed; answers stdout. */
  async ok(...argv: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(argv);
    if (code !== 0) {
      throw new Error(`berth ${argv.join(' ')} ended with ${code}:\n${stderr}${stdout}`);
    }
    return stdout;
  }

  async json<T>(...argv: string[]): Promise<T> {
    return JSON.parse(await this.ok(...argv, '--json')) as T;
  }

  /** Asked where what the program prints is not what a test is about: a process for each look takes most of its time. */
  get engine(): EngineClient {
    const start = async (): Promise<void> => {
      await this.ok('up');
    };
    return (this.client ??= new EngineClient(socketPath(this.home), start));
  }

  /** Resolves when the engine is at work on something, or `ended` is over: what comes then is no matter of how busy the machine is. */
  async atWork(ended: Promise<unknown>): Promise<void> {
    let isOver = false;
    const over = ended.finally(() => (isOver = true));
    const isRunning = async (): Promise<boolean> => {
      const all = await this.engine.call('operations.list', {});
      return isOver || all.some(({ status }) => status === 'running');
    };
    await Promise.race([over, until('the engine is at work', isRunning, timeoutMs, 20)]);
  }

  /** Runs it on a terminal (of util-linux' script) and types the answers when their questions appear. */
  async terminal(argv: readonly string[], answers: readonly (readonly [RegExp, string])[]): Promise<Outcome> {
    const words = shellWords([process.execPath, this.cli, ...argv]);
    const child = spawn('script', ['-qec', words, '/dev/null'], this.spawnOptions({}));
    child.stdin.on('error', () => undefined);
    const left = [...answers];
    let seen = '';
    child.stdout.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      const [next] = left;
      if (next?.[0].test(seen) === true) {
        left.shift();
        seen = '';
        child.stdin.write(next[1]);
      }
    });
    const outcome = await finished(child, `berth ${argv.join(' ')} on a terminal`);
    child.stdin.destroy();
    return outcome;
  }

  /** Removes all that the tests made, whatever became of them. */
  async dispose(): Promise<void> {
    this.client?.dispose();
    try {
      await this.run(['down']);
    } finally {
      const containers = await docker.listContainers({ all: true });
      const mine = containers.filter(({ Names }) => Names.some((name) => name.includes(this.prefix)));
      await Promise.allSettled(
        mine.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })),
      );
      await removeVolumes(await this.volumes());
      await removeSnapshots(this.installation);
      await removeImages(`/${this.prefix}`);
      rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 });
    }
  }

  /** Id of the installation, once its engine was started. */
  get installation(): string {
    const path = join(this.home, 'installation.json');
    const record: unknown = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
    return typeof record === 'object' && record !== null && 'id' in record ? String(record.id) : 'none';
  }

  /** Docker volumes with a name of this test. */
  async volumes(): Promise<string[]> {
    const { Volumes } = await docker.listVolumes();
    return Volumes.map(({ Name }) => Name).filter((name) => name.includes(this.prefix));
  }

  /** Starts it on a terminal; `pid=…` is the first that it says, on one stream with all else. */
  spawnOnTerminal(argv: readonly string[]): ChildProcessWithoutNullStreams {
    const command = `echo pid=$$; exec ${shellWords([process.execPath, this.cli, ...argv])}`;
    return spawn('script', ['-qefc', command, '/dev/null'], this.spawnOptions({}));
  }

  private spawnOptions(options: RunOptions) {
    const own = { BERTH_HOME: this.home, NO_COLOR: '1', LC_ALL: 'C.UTF-8' };
    const env = { ...process.env, ...own, ...this.env, ...options.env };
    const { uid, gid } = this.account ?? {};
    const account = uid !== undefined && gid !== undefined ? { uid, gid } : {};
    return { cwd: options.cwd ?? this.folder, env, stdio: 'pipe' as const, ...account };
  }
}

/** The volume that snapshots of an installation are kept in, with what holds it. */
async function removeSnapshots(installation: string): Promise<void> {
  const filters = { label: [`berth.installation=${installation}`, 'berth.role=snapshots'] };
  for (const { Id: id } of await docker.listContainers({ all: true, filters })) {
    await docker.getContainer(id).remove({ force: true });
  }
  const { Volumes: volumes } = await docker.listVolumes({ filters });
  await removeVolumes(volumes.map(({ Name }) => Name));
}

/** What held them may just be ending. */
async function removeVolumes(names: readonly string[]): Promise<void> {
  for (let tries = 0; names.length > 0 && tries < 20; tries += 1) {
    const results = await Promise.allSettled(names.map((name) => docker.getVolume(name).remove()));
    names = names.filter((_, index) => results[index]?.status === 'rejected');
    await sleep(250);
  }
}

function shellWords(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
}

export async function finished(child: ChildProcessWithoutNullStreams, what: string): Promise<Outcome> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  clearTimeout(timer);
  const outcome = {
    stdout: Buffer.concat(stdout).toString(),
    stderr: Buffer.concat(stderr).toString(),
  };
  if (code === null) {
    throw new Error(`${what} was killed (${signal ?? '?'}):\n${outcome.stdout}${outcome.stderr}`);
  }
  return { code, ...outcome };
}

/** What was installed in forks, and in what they were kept for. */
async function removeImages(part: string): Promise<void> {
  const images = await docker.listImages();
  const tags = images.flatMap(({ RepoTags }) => RepoTags ?? []).filter((tag) => tag.includes(part));
  await Promise.allSettled(tags.map((tag) => docker.getImage(tag).remove()));
}
