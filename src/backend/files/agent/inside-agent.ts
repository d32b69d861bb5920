/**
 * An agent that runs inside of a runtime, as root: started when it is needed, ended when nobody has needed it for a while.
 */
import type { Readable, Writable } from 'node:stream';
import { BerthError } from '../../../api/errors';
import type { AgentAccess } from './access';
import { AgentChannel } from './channel';
import { type AgentSession, LeasedChannel } from './leased-channel';
import { agentCommand, agentSource } from '../../inside/agent-source';
import { sweepLeftovers } from './sweep';

const python = '/.berth/bin/python3';
const idleMs = 60_000;
const closeTimeoutMs = 5_000;
const keptOutputChars = 4096;

/** A process inside. */
export interface AgentProcess {
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
  /** Cuts it off. */
  destroy: () => void;
}

export interface InsidePlace {
  /** As `AgentAccess` says. */
  volume: string;
  /** The folder that the agent is to serve. */
  target: string;
  agentDirectory: string;
  run: (argv: string[]) => Promise<AgentProcess>;
  /** Throws when what is asked of the runtime now would have no end. */
  check?: () => Promise<void>;
}

export class InsideAgent implements AgentAccess {
  private readonly lease = new LeasedChannel(() => this.start(), idleMs);

  constructor(private readonly place: InsidePlace) {}

  get volume(): string {
    return this.place.volume;
  }

  async channel(): Promise<AgentChannel> {
    await this.place.check?.();
    return this.lease.channel();
  }

  hold(): () => void {
    return this.lease.hold();
  }

  private async start(): Promise<AgentSession> {
    const { run, agentDirectory, target } = this.place;
    // First: a process that nobody feeds, or ends, must not be left.
    const source = await agentSource(agentDirectory);
    const process = await run(agentCommand(python, target));
    const output = collect(process.stderr);
    const channel = new AgentChannel(process.stdin, process.stdout);
    // The end of its input has it tidy up; what does not go by itself is cut off.
    void channel.closed.then(() => setTimeout(() => process.destroy(), closeTimeoutMs).unref());
    try {
      await channel.start(source);
      await sweepLeftovers(channel);
      return { channel, end: () => channel.end() };
    } catch (error) {
      process.destroy();
      throw reasonOf(error, output());
    }
  }
}

/** The end of what was said. */
function collect(stream: Readable): () => string {
  let output = '';
  stream.on('data', (chunk: Buffer) => (output = (output + chunk.toString('utf8')).slice(-keptOutputChars)));
  stream.on('error', () => undefined);
  return () => output.trim();
}

function reasonOf(error: unknown, output: string): BerthError {
  if (error instanceof BerthError && output === '') {
    return error;
  }
  if (/no space left/i.test(output)) {
    return new BerthError('no_space', 'The disk is full.', {
      hint: 'Delete files, or grow it.',
      cause: error,
    });
  }
  const reason = output.split('\n').at(-1) ?? '';
  const message = `The files inside could not be reached: ${reason === '' ? String(error) : reason}`;
  return new BerthError('internal', message, { cause: error });
}
