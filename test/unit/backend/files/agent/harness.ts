/** The real agent on a temporary folder, run by the Python of this machine. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { chown, mkdtemp } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { removeTree } from '../../../../support/temp';
import { BerthError } from '../../../../../src/api/errors';
import type { AgentAccess } from '../../../../../src/backend/files/agent/access';
import { AgentChannel } from '../../../../../src/backend/files/agent/channel';
import { AgentFiles } from '../../../../../src/backend/files/agent/agent-files';
import {
  agentCommand,
  agentSource,
  findAgentDirectory,
} from '../../../../../src/backend/inside/agent-source';

export const agentDir = findAgentDirectory(__dirname);

export interface Agent {
  child: ChildProcess;
  channel: AgentChannel;
}

/**
 * A module that runs before those of the agent: it notes in the file `log` what is asked of the system that makes files
 * last or puts them in place, and lets the folder `mount` of the volume be what something else is mounted at.
 */
const recorder = (root: string, log: string): string => `
import ctypes, errno, os
log = open(${JSON.stringify(log)}, "a", buffering=1)
root, mount = ${JSON.stringify(root)}, ${JSON.stringify(join(root, 'mount'))}
def at(folder, name="."):
    path = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), os.fsdecode(name))
    return os.path.normpath(path)
def said(path):
    path = os.path.relpath(path, root)
    return "/".join(p[:12] if p.startswith(".berth-") else p for p in path.split("/"))
def is_across(one, other):
    return (one + "/").startswith(mount + "/") != (other + "/").startswith(mount + "/")
rename, fsync, libc = os.rename, os.fsync, ctypes.CDLL
def renaming(source, target, src_dir_fd=None, dst_dir_fd=None):
    if is_across(at(src_dir_fd), at(dst_dir_fd)):
        raise OSError(errno.EXDEV, "across")
    rename(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
    log.write(f"rename {said(at(dst_dir_fd, target))}\\n")
def syncing(file):
    fsync(file)
    log.write(f"fsync {said(at(file))}\\n")
class Libc:
    def __init__(self, *args, **named):
        self._libc = libc(*args, **named)
    def __getattr__(self, name):
        return getattr(self._libc, name)
    def syncfs(self, file):
        log.write(f"syncfs {said(at(file))}\\n")
        return self._libc.syncfs(file)
    def renameat2(self, source_directory, source, target_directory, target, flags):
        if is_across(at(source_directory), at(target_directory)):
            ctypes.set_errno(errno.EXDEV)
            return -1
        done = self._libc.renameat2(source_directory, source, target_directory, target, flags)
        if done == 0:
            log.write(f"rename {said(at(target_directory, target))}\\n")
        return done
os.rename, os.fsync, ctypes.CDLL = renaming, syncing, Libc
`;

/** The agent's source, after a module that runs before it. */
async function sourceAfter(before: string): Promise<Buffer> {
  const source = (await agentSource(agentDir)).toString();
  const modules: unknown = JSON.parse(source.slice(source.indexOf('\n') + 1));
  assert.ok(Array.isArray(modules));
  const text = Buffer.from(JSON.stringify([['before', before], ...(modules as unknown[])]));
  return Buffer.concat([Buffer.from(`${text.length}\n`), text]);
}

export interface AgentOptions {
  /** The agent notes in that file what it does to make files last. */
  log?: string | undefined;
  /** A module in Python that runs before those of the agent, for the first agent only. */
  before?: string | undefined;
  /** Who it runs as. */
  uid?: number | undefined;
  /** How many files it may have open: the soft and the hard limit, e.g. `256:8192`. */
  openFiles?: string | undefined;
}

export async function startAgent(root: string, options: AgentOptions = {}): Promise<Agent> {
  const { log, uid, openFiles, before = log === undefined ? undefined : recorder(root, log) } = options;
  const limit = openFiles === undefined ? [] : ['prlimit', `--nofile=${openFiles}`];
  const [program, ...args] = [...limit, ...agentCommand('python3', root)];
  const child = spawn(program!, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: '/',
    ...(uid !== undefined && { uid }),
  });
  const channel = new AgentChannel(child.stdin, child.stdout);
  await channel.start(before === undefined ? await agentSource(agentDir) : await sourceAfter(before));
  return { child, channel };
}

/** A folder that plays the volume. */
export class TestVolume implements AgentAccess {
  held = 0;
  started = 0;
  private agent: Promise<Agent> | undefined;
  readonly files: AgentFiles;

  private constructor(
    readonly volume: string,
    readonly root: string,
    private readonly options: AgentOptions,
  ) {
    this.files = new AgentFiles(this);
  }

  static async create(name = 'test', options: AgentOptions = {}): Promise<TestVolume> {
    const root = await mkdtemp(join(tmpdir(), 'berth-volume-'));
    if (options.uid !== undefined) {
      await chown(root, options.uid, -1);
    }
    return new TestVolume(name, root, options);
  }

  async channel(): Promise<AgentChannel> {
    if (this.agent === undefined || !(await this.agent).channel.isOpen) {
      this.started++;
      const { before, ...options } = this.options;
      this.agent = startAgent(this.root, this.started === 1 ? { ...options, before } : options);
    }
    return (await this.agent).channel;
  }

  hold(): () => void {
    this.held++;
    return () => {
      this.held--;
    };
  }

  /** Ends the agent like a crash would. */
  async kill(): Promise<void> {
    const agent = await this.agent;
    if (agent) {
      agent.child.kill('SIGKILL');
      await agent.channel.closed;
    }
  }

  /** Ends the agent in order; the next request has a new one. */
  async restart(): Promise<void> {
    const agent = await this.agent;
    this.agent = undefined;
    if (agent) {
      agent.channel.end();
      if (agent.child.exitCode === null && agent.child.signalCode === null) {
        await once(agent.child, 'exit');
      }
    }
  }

  async dispose(): Promise<void> {
    await this.files.close();
    await this.restart();
    removeTree(this.root);
  }
}

export async function textOf(stream: Readable): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) {
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString();
}

export const hasCode = (code: string) => (error: unknown) =>
  error instanceof BerthError && (error.code as string) === code;
