/** One volume's keeper, from the first call that needs it until nobody has needed it for a while. */
import type Dockerode from 'dockerode';
import type { Duplex } from 'node:stream';
import { BerthError } from '../../../../api/errors';
import type { AgentAccess, BulkAccess } from '../../../files/agent/access';
import { AgentChannel } from '../../../files/agent/channel';
import { agentCommand, agentSource } from '../../../inside/agent-source';
import { workspaceUser } from '../../../inside/places';
import { sweepLeftovers } from '../../../files/agent/sweep';
import { demultiplex } from '../engine/demux';
import { receiveArchive, sendArchive } from './keeper-archive';
import { keeperRoot, openingFailed, startKeeper, type KeeperPlan } from './keeper-container';
import { removeContainer } from '../engine/remove-container';

const python = '/.berth/bin/python3';
/** How long an agent may take to tidy up before its container is removed under it. */
const farewellMs = 5_000;
/** Enough of stderr to say why the agent ended. */
const stderrKept = 4096;
/** Larger files go by the engine's archive calls, which carry bytes faster than an exec, but take a while to begin. */
const bulkBytes = 16 * 1024 * 1024;

interface Open {
  container: Dockerode.Container;
  channel: AgentChannel;
}

/** One volume's keeper: opened when it is needed, closed when it was not needed for a while. */
export class Keeper implements AgentAccess {
  private opening: Promise<Open> | undefined;
  private closing: Promise<void> = Promise.resolve();
  private holds = 0;
  private idle: NodeJS.Timeout | undefined;
  private retired = false;

  constructor(
    private readonly docker: Dockerode,
    private readonly plan: () => KeeperPlan,
    private readonly agentDir: string,
    private readonly idleMs: number,
  ) {}

  get volume(): string {
    return this.plan().volume;
  }

  async channel(): Promise<AgentChannel> {
    return (await this.open()).channel;
  }

  hold(): () => void {
    this.holds++;
    clearTimeout(this.idle);
    let held = true;
    return () => {
      if (held) {
        held = false;
        this.holds--;
        this.closeWhenIdle();
      }
    };
  }

  readonly bulk: BulkAccess = {
    minBytes: bulkBytes,
    read: async (path, take, signal) => {
      const { container } = await this.open();
      await receiveArchive(this.docker, container.id, path, take, signal);
    },
    write: async (folder, tar, signal) => {
      const { container } = await this.open();
      await sendArchive(this.docker, container.id, folder, tar, signal);
    },
  };

  /** The container, when there is one now. */
  async containerId(): Promise<string | undefined> {
    return this.opening?.then(
      ({ container }) => container.id,
      () => undefined,
    );
  }

  /** Closes it for good: it is not opened again. Resolves when its container is gone. */
  async retire(): Promise<void> {
    this.retired = true;
    await this.close();
  }

  private closeWhenIdle(): void {
    if (this.holds > 0 || this.opening === undefined) {
      return;
    }
    clearTimeout(this.idle);
    this.idle = setTimeout(() => void this.close().catch(() => undefined), this.idleMs);
    this.idle.unref();
  }

  private async close(): Promise<void> {
    clearTimeout(this.idle);
    const opening = this.opening;
    this.opening = undefined;
    if (opening !== undefined) {
      this.closing = opening.then(endKeeper, () => undefined);
    }
    await this.closing;
  }

  private open(): Promise<Open> {
    if (this.retired) {
      throw new BerthError('gone', `The files of "${this.volume}" were closed.`, {
        hint: 'The volume is being removed, or the engine is ending.',
      });
    }
    if (this.opening === undefined) {
      const opening = this.closing.then(() => this.start());
      this.opening = opening;
      opening.then(
        ({ container, channel }) => void channel.closed.then(() => this.lost(opening, container)),
        () => this.forget(opening),
      );
    }
    return this.opening;
  }

  private forget(opening: Promise<Open>): void {
    if (this.opening === opening) {
      this.opening = undefined;
    }
  }

  /** The agent ended, or its container, or the connection: the next call opens a new one. */
  private lost(opening: Promise<Open>, container: Dockerode.Container): void {
    this.forget(opening);
    removeContainer(container).catch(() => undefined);
  }

  private async start(): Promise<Open> {
    // First: a container that nobody feeds, or removes, must not be left.
    const source = await agentSource(this.agentDir);
    const { container, isForUser } = await startKeeper(this.docker, this.plan());
    try {
      const channel = await startAgent(container, source, isForUser);
      await sweepLeftovers(channel);
      return { container, channel };
    } catch (error) {
      await removeContainer(container);
      throw openingFailed(error, this.volume);
    }
  }
}

async function startAgent(
  container: Dockerode.Container,
  source: Buffer,
  isForUser: boolean,
): Promise<AgentChannel> {
  const exec = await container.exec({
    Cmd: agentCommand(python, keeperRoot, isForUser ? workspaceUser : undefined),
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
async function endKeeper({ container, channel }: Open): Promise<void> {
  channel.end();
  await Promise.race([
    container.wait({ condition: 'removed' }).catch(() => undefined),
    new Promise((resolve) => setTimeout(resolve, farewellMs).unref()),
  ]);
  await removeContainer(container);
}
