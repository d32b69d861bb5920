/** The program `snapshots.py`, in a container of its own that has the volume and the store of snapshots. */
import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type Dockerode from 'dockerode';
import { BerthError, isErrorCode } from '../../../../api/errors';
import { formatBytes } from '../../../../api/rules/sizes';
import { agentCommand } from '../../../inside/agent-source';
import { stdinOf } from '../../../inside/exec-input';
import { toolsDirectory } from '../../../inside/init-script';
import { demultiplex } from '../engine/demux';
import { isStatus } from '../engine/docker-errors';
import type { Endpoint } from '../engine/endpoint';
import { removeContainer } from '../engine/remove-container';
import { linesOf, toDuplex } from '../engine/streams';
import { confined } from '../volumes/confined';

const live = '/volume';
const store = '/store';
const stderrKept = 4096;
const roomHint = 'Make room there, or delete snapshots; then try again.';

export interface ProgramPlan {
  image: string;
  /** Of `Helpers`. */
  labels: Readonly<Record<string, string>>;
  store: string;
  volume?: { name: string; isReadOnly: boolean };
  /** See `agentSource`. */
  source: Buffer;
}

/** One line of its answers. */
export type Answer = Readonly<Record<string, unknown>>;

/** A conversation with the program: one at a time asks. */
export class SnapshotProgram {
  private said = '';

  private constructor(
    private readonly container: Dockerode.Container,
    private readonly input: ReturnType<typeof stdinOf>,
    private readonly answers: AsyncIterator<string>,
    private readonly cut: () => void,
  ) {}

  static async start(endpoint: Endpoint, plan: ProgramPlan): Promise<SnapshotProgram> {
    const container = await endpoint.call('look into snapshots', (docker) => create(docker, plan));
    try {
      const stream = await endpoint.call('look into snapshots', () => run(container));
      const { stdout, stderr } = demultiplex(stream);
      const input = stdinOf(stream);
      input.on('error', () => undefined);
      input.write(plan.source);
      const lines = linesOf(stdout)[Symbol.asyncIterator]();
      const program = new SnapshotProgram(container, input, lines, () => void stream.destroy());
      stderr.on(
        'data',
        (chunk: Buffer) => (program.said = (program.said + chunk.toString()).slice(-stderrKept)),
      );
      stderr.on('error', () => undefined);
      return program;
    } catch (error) {
      await removeContainer(container);
      throw error;
    }
  }

  /**
   * Sends a request, and waits for an answer with one of the keys. Others are handed to `meanwhile`. Throws the
   * program's error.
   */
  async ask(
    request: Readonly<Record<string, unknown>>,
    key: string,
    meanwhile: (answer: Answer) => void = () => undefined,
  ): Promise<Answer> {
    this.input.write(`${JSON.stringify(request)}\n`);
    for (;;) {
      const answer = await this.next();
      if (key in answer) {
        return answer;
      }
      if ('error' in answer) {
        throw errorOf(answer.error);
      }
      meanwhile(answer);
    }
  }

  /** It gives up what it does, as soon as it can: what waits for an answer gets the error `cancelled`. */
  cancel(): void {
    this.input.end();
  }

  /** Also when it is in the middle of something. */
  async close(): Promise<void> {
    this.cut();
    await removeContainer(this.container);
  }

  private async next(): Promise<Answer> {
    const line = await this.answers.next().catch((error: unknown) => {
      throw new BerthError('runtime_unavailable', 'The connection to the snapshots broke.', { cause: error });
    });
    if (line.done === true) {
      // Names of a guest's files may be in it.
      const last = (this.said.trim().split('\n').at(-1) ?? '').replace(/[\s\p{Cc}]+/gu, ' ');
      throw new BerthError(
        'internal',
        `The program that makes snapshots ended${last === '' ? '' : `: ${last}`}.`,
        { hint: 'Try again. A folder with more than half a million files may need more memory than it has.' },
      );
    }
    return parsed(line.value);
  }
}

/** The program is all that runs in it: to start one more in a container takes as long again. */
async function run(container: Dockerode.Container): Promise<Duplex> {
  const request = { stream: true, stdin: true, stdout: true, stderr: true, hijack: true };
  const stream = toDuplex(await container.attach(request));
  try {
    await container.start();
  } catch (error) {
    stream.destroy();
    throw error;
  }
  return stream;
}

async function create(docker: Dockerode, plan: ProgramPlan): Promise<Dockerode.Container> {
  const { image, labels, volume } = plan;
  try {
    return await docker.createContainer(
      confined({
        name: `berth-snapshot-${randomUUID()}`,
        image,
        labels: { ...labels },
        // To read, make and give away all that a workspace may have made, its devices and capabilities included.
        capabilities: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'MKNOD', 'SETFCAP'],
        pids: 32,
        memoryMiB: 1024,
        command: agentCommand(`${toolsDirectory}/bin/python3`, volume === undefined ? '-' : live).concat(
          store,
        ),
        mounts: [
          ...(volume === undefined
            ? []
            : [{ volume: volume.name, target: live, isReadOnly: volume.isReadOnly }]),
          { volume: plan.store, target: store, isReadOnly: false },
        ],
      }),
    );
  } catch (error) {
    if (isStatus(error, 404)) {
      throw new BerthError('image_missing', `The image "${image}", which reads volumes, is not there.`, {
        hint: 'Build it: `berth image build`.',
        cause: error,
      });
    }
    throw error;
  }
}

/** `{code, detail, path}`, as agents answer. */
function errorOf(error: unknown): BerthError {
  const { code, detail, path } =
    typeof error === 'object' && error !== null ? ({ ...error } as Record<string, unknown>) : {};
  const why = [path, detail].filter((part) => typeof part === 'string').join(': ');
  if (code === 'cancelled') {
    return new BerthError('cancelled', 'Cancelled.');
  }
  if (code === 'no_space') {
    return new BerthError(
      'no_space',
      `The disk of the container engine is full${why === '' ? '' : ` (${why})`}.`,
      {
        hint: roomHint,
      },
    );
  }
  return new BerthError(
    isErrorCode(code) ? code : 'internal',
    `The snapshot could not be used: ${why || 'no reason'}.`,
  );
}

/** What was cut off says nothing. */
function parsed(line: string): Answer {
  try {
    const answer: unknown = JSON.parse(line);
    return typeof answer === 'object' && answer !== null ? { ...answer } : {};
  } catch {
    return {};
  }
}

/** That a copy is not begun where it can't end. */
export function noRoom(volume: string, { wanted, free }: Answer): BerthError | undefined {
  return typeof wanted === 'number' && typeof free === 'number' && wanted > free
    ? new BerthError(
        'no_space',
        `No snapshot of ${volume} was made: it needs ${formatBytes(wanted)} on the disk of the container engine, where ${formatBytes(free)} are free.`,
        { hint: roomHint },
      )
    : undefined;
}
