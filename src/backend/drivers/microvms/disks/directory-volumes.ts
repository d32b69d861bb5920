/**
 * Volumes that are folders of this machine, shared with guests by virtiofs. Guests write to them while we do: their
 * files are reached by the agent that serves container volumes, whose way of walking can't be led out by links.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { constants } from 'node:fs';
import { chmod, chown, mkdir, open } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BerthError } from '../../../../api/errors';
import type { AgentAccess } from '../../../files/agent-access';
import { AgentChannel } from '../../../files/agent-channel';
import { AgentFiles } from '../../../files/agent-files';
import { agentCommand, agentSource } from '../../../files/agent-source';
import { localPath } from '../../../files/names';
import { readableOf, type TarSource } from '../../../files/tar-flow';
import type { VolumeFiles } from '../../../files/volume-files';

/** The user of workspaces. */
const userOwner = 1000;
const idleMs = 60_000;
const saidKept = 1000;

export class DirectoryVolumes {
  private readonly open = new Map<string, { access: LocalAccess; files: AgentFiles }>();

  constructor(private readonly agentDirectory: string) {}

  /** For the user inside. The folder around it lets nobody else in. */
  async make(path: string): Promise<void> {
    await mkdir(path, { mode: 0o700 });
    if (process.getuid?.() === 0) {
      await chown(path, userOwner, userOwner);
    } else if (process.getuid?.() !== userOwner) {
      await chmod(path, 0o777);
    }
  }

  files(volume: string, path: string): VolumeFiles {
    const known = this.open.get(volume);
    if (known !== undefined) {
      return known.files;
    }
    const access = new LocalAccess(volume, path, this.agentDirectory);
    const files = new AgentFiles(access);
    this.open.set(volume, { access, files });
    return files;
  }

  async close(volume: string): Promise<void> {
    const known = this.open.get(volume);
    this.open.delete(volume);
    await known?.files.close();
    known?.access.end();
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.open.keys()].map((volume) => this.close(volume)));
  }
}

/** The agent as a child of the engine, on one folder. */
class LocalAccess implements AgentAccess {
  private opening: Promise<AgentChannel> | undefined;
  private holds = 0;
  private idle: NodeJS.Timeout | undefined;

  constructor(
    readonly volume: string,
    private readonly root: string,
    private readonly agentDirectory: string,
  ) {}

  channel(): Promise<AgentChannel> {
    if (this.opening === undefined) {
      const opening = this.start();
      const forget = (): void => {
        this.opening = this.opening === opening ? undefined : this.opening;
      };
      this.opening = opening;
      opening.then((channel) => void channel.closed.then(forget), forget);
    }
    return this.opening;
  }

  hold(): () => void {
    this.holds++;
    clearTimeout(this.idle);
    let isHeld = true;
    return () => {
      if (isHeld) {
        isHeld = false;
        this.holds--;
        this.endWhenIdle();
      }
    };
  }

  async getTar(path: string): Promise<Readable> {
    const { folder, name } = splitPath(path);
    const directory = await this.directory(folder);
    const child = this.tar(directory.fd, ['--format=pax', '--numeric-owner', '-cf', '-', '--', name]);
    // Read from the start: what an ended child has said is thrown away when nobody listens yet.
    const tar = child.stdout.pipe(new PassThrough());
    child.once('error', (error) => tar.destroy(error));
    child.once('close', (code) => {
      void directory.close();
      if (code !== 0) {
        tar.destroy(new BerthError('internal', `tar ended with ${code} while it packed ${path}.`));
      }
    });
    tar.once('close', () => child.kill());
    await once(child, 'spawn');
    return tar;
  }

  async putTar(folder: string, source: Readable | TarSource, signal?: AbortSignal): Promise<void> {
    const directory = await this.directory(folder);
    const tar = source instanceof Readable ? source : readableOf(source);
    try {
      const child = this.tar(directory.fd, ['--numeric-owner', '-xpf', '-']);
      let said = '';
      child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-saidKept)));
      const ended = once(child, 'close');
      await pipeline(tar, child.stdin, signal === undefined ? {} : { signal });
      const [code] = (await ended) as [number | null];
      if (code !== 0) {
        throw new BerthError(
          'internal',
          `tar ended with ${code} while it unpacked into ${this.volume}: ${said.trim()}`,
        );
      }
    } finally {
      await directory.close();
    }
  }

  end(): void {
    clearTimeout(this.idle);
    this.opening?.then((channel) => channel.end()).catch(() => undefined);
    this.opening = undefined;
  }

  /** tar gets the open folder, not its path: the path may mean something else by then. */
  private tar(folder: number, args: readonly string[]): ChildProcessWithoutNullStreams {
    const child = spawn('tar', ['-C', '/proc/self/fd/3', ...args], {
      stdio: ['pipe', 'pipe', 'pipe', folder],
    });
    const { stdin, stdout, stderr } = child;
    if (stdin === null || stdout === null || stderr === null) {
      throw new BerthError('internal', 'tar was started without its streams.');
    }
    stderr.resume();
    return Object.assign(child, { stdin, stdout, stderr }) as ChildProcessWithoutNullStreams;
  }

  /** Opened one name at a time, without following a link. */
  private async directory(path: string): Promise<Awaited<ReturnType<typeof open>>> {
    const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
    let current = await open(this.root, flags);
    for (const name of path.split('/').filter((part) => part !== '')) {
      const next = await open(localPath(join(`/proc/self/fd/${current.fd}`, name)), flags).finally(() =>
        current.close(),
      );
      current = next;
    }
    return current;
  }

  private endWhenIdle(): void {
    if (this.holds === 0 && this.opening !== undefined) {
      clearTimeout(this.idle);
      this.idle = setTimeout(() => this.end(), idleMs);
      this.idle.unref();
    }
  }

  private async start(): Promise<AgentChannel> {
    const [program = '', ...args] = agentCommand('python3', this.root);
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    const failed = once(child, 'error').then(([error]: unknown[]) => {
      throw new BerthError(
        'not_supported',
        `The files of ${this.volume} take Python 3 to reach: ${String(error)}`,
        {
          hint: 'Install python3, or use a volume of the kind "disk".',
        },
      );
    });
    failed.catch(() => undefined);
    const channel = new AgentChannel(child.stdin, child.stdout);
    await Promise.race([failed, agentSource(this.agentDirectory).then((source) => channel.start(source))]);
    await channel.request('sweep');
    return channel;
  }
}

function splitPath(path: string): { folder: string; name: string } {
  const at = path.lastIndexOf('/');
  return path === '/' ? { folder: '/', name: '.' } : { folder: path.slice(0, at), name: path.slice(at + 1) };
}
