/**
 * Volumes that are folders of this machine, shared with guests by virtiofs. Guests write to them while we do: their
 * files are reached by the agent that serves container volumes, whose way of walking can't be led out by links.
 */
import { chmod, chown, mkdir } from 'node:fs/promises';
import { BerthError, asBerthError } from '../../../../api/errors';
import type { AgentAccess } from '../../../files/agent/access';
import { AgentChannel } from '../../../files/agent/channel';
import { type AgentSession, LeasedChannel } from '../../../files/agent/leased-channel';
import { AgentFiles } from '../../../files/agent/agent-files';
import { agentCommand, agentSource } from '../../../inside/agent-source';
import { workspaceUser } from '../../../inside/places';
import { sweepLeftovers } from '../../../files/agent/sweep';
import { pythonProgram } from '../../../machine/python';
import { start } from '../../../machine/run';
import type { VolumeFiles } from '../../../files/volume-files';

const idleMs = 60_000;

export class DirectoryVolumes {
  private readonly open = new Map<string, { access: LocalAccess; files: AgentFiles }>();

  constructor(private readonly agentDirectory: string) {}

  /** For the user inside. The folder around it lets nobody else in. */
  async make(path: string): Promise<void> {
    await mkdir(path, { mode: 0o700 });
    if (process.getuid?.() === 0) {
      await chown(path, workspaceUser, workspaceUser);
    } else if (process.getuid?.() !== workspaceUser) {
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
    await known?.access.close();
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.open.keys()].map((volume) => this.close(volume)));
  }
}

/** The agent as a child of the engine, on one folder. */
class LocalAccess implements AgentAccess {
  private readonly lease = new LeasedChannel(() => this.start(), idleMs);

  constructor(
    readonly volume: string,
    private readonly root: string,
    private readonly agentDirectory: string,
  ) {}

  channel(): Promise<AgentChannel> {
    return this.lease.channel();
  }

  hold(): () => void {
    return this.lease.hold();
  }

  close(): Promise<void> {
    return this.lease.close();
  }

  private async start(): Promise<AgentSession> {
    refuseElsewhere(this.volume, process.platform);
    const [program = '', ...args] = agentCommand(await pythonProgram(), this.root);
    const child = await start(program, args, {
      install: 'Install python3, or use a volume of the kind "disk".',
    });
    const channel = new AgentChannel(child.stdin, child.stdout);
    const source = agentSource(this.agentDirectory);
    try {
      await source.then((each) => channel.start(each));
      await sweepLeftovers(channel);
    } catch (error) {
      child.kill();
      throw child.errors() === '' ? error : withLastWords(this.volume, child.errors(), error);
    }
    return { channel, end: () => channel.end() };
  }
}

/** Throws `not_supported` where the agent, whose way of walking takes system calls of Linux, does not run. */
export function refuseElsewhere(volume: string, platform: NodeJS.Platform): void {
  if (platform !== 'linux') {
    throw new BerthError(
      'not_supported',
      `The files of ${volume} can't be reached here: volumes of the kind "directory" need Linux.`,
      { hint: 'Use a volume of the kind "disk", or one of the container engine.' },
    );
  }
}

function withLastWords(volume: string, said: string, cause: unknown): BerthError {
  const { code, message, hint } = asBerthError(cause);
  const last = said.trim().split('\n').at(-1) ?? '';
  return new BerthError(
    code,
    `The files of ${volume} can't be reached: ${message} Its last output: ${last}`,
    {
      ...(hint !== undefined && { hint }),
      cause,
    },
  );
}
