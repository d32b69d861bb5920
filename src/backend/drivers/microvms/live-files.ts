/**
 * The files of disks that running machines have: two systems must not write to one disk, so the machine itself is
 * asked, by the same agent that serves other volumes, run inside as root on the folder where the disk is mounted.
 */
import type { Readable } from 'node:stream';
import { BerthError } from '../../../api/errors';
import type { AgentAccess } from '../../files/agent-access';
import { AgentChannel } from '../../files/agent-channel';
import { AgentFiles } from '../../files/agent-files';
import { agentCommand, agentSource } from '../../files/agent-source';
import { sweepLeftovers } from '../../files/agent-sweep';
import type { VolumeFiles } from '../../files/volume-files';
import { toolsDirectory } from '../containers/init-script';
import { quotedCommand } from './exec';
import type { Machine } from './machine';

const python = `${toolsDirectory}/bin/python3`;
const idleMs = 60_000;
const farewellMs = 5_000;
const saidKept = 4096;

export interface LivePlace {
  volume: string;
  /** Where the disk is mounted inside. */
  target: string;
  /** The machine that has it; throws when it does not run. */
  machine: () => Promise<Machine>;
  agentDirectory: string;
}

export function liveFiles(place: LivePlace): VolumeFiles {
  return new AgentFiles(new LiveAccess(place));
}

/** One disk's agent: started when it is needed, ended when nobody has needed it for a while. */
class LiveAccess implements AgentAccess {
  private opening: Promise<AgentChannel> | undefined;
  private holds = 0;
  private idle: NodeJS.Timeout | undefined;
  private asked: Machine | undefined;

  constructor(private readonly place: LivePlace) {}

  get volume(): string {
    return this.place.volume;
  }

  async channel(): Promise<AgentChannel> {
    if (this.asked?.isHalted === true) {
      // Throws why: what is asked of a guest that stands still has no end.
      await this.place.machine();
    }
    if (this.opening === undefined) {
      const opening = this.start();
      this.opening = opening;
      const forget = (): void => {
        if (this.opening === opening) {
          this.opening = undefined;
        }
      };
      opening.then((channel) => void channel.closed.then(forget), forget);
      this.endWhenIdle();
    }
    return this.opening;
  }

  hold(): () => void {
    this.holds += 1;
    clearTimeout(this.idle);
    let isHeld = true;
    return () => {
      if (isHeld) {
        isHeld = false;
        this.holds -= 1;
        this.endWhenIdle();
      }
    };
  }

  private endWhenIdle(): void {
    clearTimeout(this.idle);
    if (this.holds === 0) {
      this.idle = setTimeout(() => {
        const { opening } = this;
        this.opening = undefined;
        opening?.then(
          (channel) => channel.end(),
          () => undefined,
        );
      }, idleMs).unref();
    }
  }

  private async start(): Promise<AgentChannel> {
    const { machine, agentDirectory, target } = this.place;
    const [source, asked] = await Promise.all([agentSource(agentDirectory), machine()]);
    this.asked = asked;
    const { channel: stream } = await asked.ssh.run(quotedCommand(agentCommand(python, target)), {});
    const said = collect(stream.stderr);
    const channel = new AgentChannel(stream, stream);
    // The end of its input has it tidy up; what does not go by itself is cut off.
    void channel.closed.then(() => setTimeout(() => stream.destroy(), farewellMs).unref());
    try {
      await channel.start(source);
      await sweepLeftovers(channel);
      return channel;
    } catch (error) {
      stream.destroy();
      throw reasonOf(error, said());
    }
  }
}

/** The end of what was said. */
function collect(stream: Readable): () => string {
  let said = '';
  stream.on('data', (chunk: Buffer) => (said = (said + chunk.toString('utf8')).slice(-saidKept)));
  stream.on('error', () => undefined);
  return () => said.trim();
}

function reasonOf(error: unknown, said: string): BerthError {
  if (error instanceof BerthError && said === '') {
    return error;
  }
  if (/no space left/i.test(said)) {
    return new BerthError('no_space', 'The disk is full.', {
      hint: 'Delete files, or grow it.',
      cause: error,
    });
  }
  const reason = said.split('\n').at(-1) ?? '';
  const message = `The files inside could not be reached: ${reason === '' ? String(error) : reason}`;
  return new BerthError('internal', message, { cause: error });
}
