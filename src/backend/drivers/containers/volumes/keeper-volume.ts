/** One volume's keeper, from the first call that needs it until nobody has needed it for a while. */
import type Dockerode from 'dockerode';
import type { Duplex } from 'node:stream';
import { BerthError } from '../../../../api/errors';
import { mebibyte } from '../../../../api/rules/sizes';
import type { AgentAccess, BulkAccess } from '../../../files/agent/access';
import { AgentChannel } from '../../../files/agent/channel';
import { type AgentSession, LeasedChannel } from '../../../files/agent/leased-channel';
import { agentCommand, agentSource } from '../../../inside/agent-source';
import { workspaceUser } from '../../../inside/places';
import { sweepLeftovers } from '../../../files/agent/sweep';
import { demultiplex } from '../engine/demux';
import { receiveArchive, sendArchive } from './keeper-archive';
import { keeperRoot, openingFailed, startKeeper, type KeeperPlan } from './keeper-container';
import { removeContainer } from '../engine/remove-container';

const python = '/.berth/bin/python3';
/** How long an agent may take to tidy up before its container is removed under it. */
const closeTimeoutMs = 5_000;
/** Enough of stderr to say why the agent ended. */
const stderrKept = 4096;
/** Larger files go by the engine's archive calls, which carry bytes faster than an exec, but take a while to begin. */
const bulkBytes = 16 * mebibyte;

interface Session extends AgentSession {
  container: Dockerode.Container;
}

/** One volume's keeper: opened when it is needed, closed when it was not needed for a while. */
export class Keeper implements AgentAccess {
  private readonly lease: LeasedChannel<Session>;
  private retired = false;

  constructor(
    private readonly docker: Dockerode,
    private readonly plan: () => KeeperPlan,
    private readonly agentDir: string,
    idleMs: number,
  ) {
    this.lease = new LeasedChannel(() => this.start(), idleMs);
  }

  get volume(): string {
    return this.plan().volume;
  }

  /** A snapshot, beside whose tree its manifest is. */
  get hasManifest(): boolean {
    return this.plan().below !== undefined;
  }

  async channel(): Promise<AgentChannel> {
    return (await this.open()).channel;
  }

  hold(): () => void {
    return this.lease.hold();
  }

  readonly bulk: BulkAccess = {
    minBytes: bulkBytes,
    read: async (path, take, signal) => {
      const { container } = await this.open();
      const { below } = this.plan();
      const inside = below === undefined ? path : below + (path === '/' ? '/.' : path);
      await receiveArchive(this.docker, container.id, inside, take, signal);
    },
    write: async (folder, tar, signal) => {
      const { container } = await this.open();
      await sendArchive(this.docker, container.id, folder, tar, signal);
    },
  };

  /** The container, when there is one now. */
  async containerId(): Promise<string | undefined> {
    return (await this.lease.current())?.container.id;
  }

  /** Closes it for good: it is not opened again. Resolves when its container is gone. */
  async retire(): Promise<void> {
    this.retired = true;
    await this.lease.close();
  }

  private async open(): Promise<Session> {
    if (this.retired) {
      throw new BerthError('gone', `The files of "${this.volume}" were closed.`, {
        hint: 'The volume is being removed, or the engine is ending.',
      });
    }
    return this.lease.open();
  }

  private async start(): Promise<Session> {
    // First: a container that nobody feeds, or removes, must not be left.
    const source = await agentSource(this.agentDir);
    const { container, isForUser } = await startKeeper(this.docker, this.plan());
    try {
      const channel = await startAgent(container, source, {
        root: keeperRoot + (this.plan().below ?? ''),
        isForUser,
      });
      await sweepLeftovers(channel);
      return { container, channel, end: (isLost) => endKeeper(container, channel, isLost) };
    } catch (error) {
      await removeContainer(container);
      throw openingFailed(error, this.volume);
    }
  }
}

async function startAgent(
  container: Dockerode.Container,
  source: Buffer,
  { root, isForUser }: { root: string; isForUser: boolean },
): Promise<AgentChannel> {
  const exec = await container.exec({
    Cmd: agentCommand(python, root, isForUser ? workspaceUser : undefined),
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
  });
  const connection: Duplex = await exec.start({ hijack: true, stdin: true });
  const output = demultiplex(connection);
  let said = '';
  output.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-stderrKept)));
  output.stderr.on('error', () => undefined); // the same as of stdout, which the channel hears
  const channel = new AgentChannel(connection, output.stdout);
  void channel.closed.then(() => connection.destroy());
  try {
    await channel.start(source);
    return channel;
  } catch (error) {
    const last = said.trim().split('\n').at(-1) ?? '';
    throw last === ''
      ? error
      : new BerthError('internal', `The agent of the volume did not start: ${last}`, { cause: error });
  }
}

/** The end of its input lets the agent tidy up and end the container, which removes itself. */
async function endKeeper(
  container: Dockerode.Container,
  channel: AgentChannel,
  isLost: boolean,
): Promise<void> {
  if (isLost) {
    // Nobody waits for it: the daemon itself may be what is gone.
    removeContainer(container).catch(() => undefined);
    return;
  }
  channel.end();
  await Promise.race([
    container.wait({ condition: 'removed' }).catch(() => undefined),
    new Promise((resolve) => setTimeout(resolve, closeTimeoutMs).unref()),
  ]);
  await removeContainer(container);
}
