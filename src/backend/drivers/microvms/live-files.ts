/**
 * The files of disks that running machines have: two systems must not write to one disk, so the machine itself is
 * asked, by the same agent that serves other volumes, run inside as root on the folder where the disk is mounted.
 */
import { Readable, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BerthError } from '../../../api/errors';
import type { AgentAccess } from '../../files/agent-access';
import { AgentChannel } from '../../files/agent-channel';
import { AgentFiles } from '../../files/agent-files';
import { agentCommand, agentSource } from '../../files/agent-source';
import { encodeName } from '../../files/names';
import { readableOf, type TarSource } from '../../files/tar-flow';
import type { VolumeFiles } from '../../files/volume-files';
import { shell, toolsDirectory } from '../containers/init-script';
import { exitOf, quotedCommand } from './exec';
import type { Machine } from './machine';
import type { GuestProcess } from './ssh-link';

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

  constructor(private readonly place: LivePlace) {}

  get volume(): string {
    return this.place.volume;
  }

  channel(): Promise<AgentChannel> {
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

  async getTar(path: string, signal?: AbortSignal): Promise<Readable> {
    const source = path === '/' ? '/.' : path;
    const at = source.lastIndexOf('/');
    const folder = this.place.target + source.slice(0, at);
    const script = `cd -- ${printed(folder)} && exec tar -c -f - -- ${printed(source.slice(at + 1))}`;
    const process = await this.run(script);
    process.channel.end();
    return outputOf(process, this.place.volume, `read ${path}`, signal);
  }

  async putTar(folder: string, tar: Readable | TarSource, signal?: AbortSignal): Promise<void> {
    const process = await this.run(`cd -- ${printed(this.place.target + folder)} && exec tar -x -f -`);
    const { channel } = process;
    const said = collect(channel.stderr);
    channel.resume();
    const exit = exitOf(process, this.place.volume);
    exit.catch(() => undefined);
    const source = tar instanceof Readable ? tar : readableOf(tar);
    const input: Duplex = channel;
    try {
      await pipeline(source, input, { end: true, ...(signal !== undefined && { signal }) });
    } catch (error) {
      channel.destroy();
      throw signal?.aborted === true ? new BerthError('cancelled', 'Cancelled.') : reasonOf(error, said());
    }
    if ((await exit) !== 0) {
      throw reasonOf(new Error('tar failed'), said());
    }
  }

  private async run(script: string): Promise<GuestProcess> {
    const { ssh } = await this.place.machine();
    const path = `${toolsDirectory}/busybox`;
    return ssh.run(quotedCommand([shell, '-c', `PATH=${path}; ${script}`]), {});
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
    const [source, { ssh }] = await Promise.all([agentSource(agentDirectory), machine()]);
    const { channel: stream } = await ssh.run(quotedCommand(agentCommand(python, target)), {});
    const said = collect(stream.stderr);
    const channel = new AgentChannel(stream, stream);
    // The end of its input has it tidy up; what does not go by itself is cut off.
    void channel.closed.then(() => setTimeout(() => stream.destroy(), farewellMs).unref());
    try {
      await channel.start(source);
      await channel.request('sweep');
      return channel;
    } catch (error) {
      stream.destroy();
      throw reasonOf(error, said());
    }
  }
}

/** Bytes of a path for a shell, whatever they are: names need not be text. */
function printed(path: string): string {
  const octal = Array.from(encodeName(path), (byte) => `\\0${byte.toString(8).padStart(3, '0')}`).join('');
  // The substitution drops line breaks at the end: a letter stands behind them, and goes again.
  return `"$(p=$(printf %b '${octal}.'); printf %s "\${p%.}")"`;
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

/** Fails like the command did, which a stream that simply ends would hide. */
function outputOf(process: GuestProcess, volume: string, what: string, signal?: AbortSignal): Readable {
  const { channel } = process;
  const said = collect(channel.stderr);
  const exit = exitOf(process, volume);
  exit.catch(() => undefined);
  async function* chunks(): AsyncGenerator<Buffer> {
    const cancel = (): void => void channel.destroy();
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      for await (const chunk of channel) {
        yield chunk as Buffer;
      }
      const code = await exit;
      if (code !== 0) {
        throw reasonOf(new Error(`could not ${what}`), said());
      }
    } finally {
      signal?.removeEventListener('abort', cancel);
      channel.destroy();
    }
  }
  return Readable.from(chunks(), { objectMode: false });
}
