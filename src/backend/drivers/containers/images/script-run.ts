/** Runs a script of ours in a container of its own, which is gone afterwards, and takes what it made. */
import type { Container } from 'dockerode';
import type { Readable } from 'node:stream';
import { BerthError } from '../../../../api/errors';
import { demultiplex } from '../engine/demux';
import type { Endpoint } from '../engine/endpoint';
import { linesOf, toReadable } from '../engine/streams';
import { archiveOf } from '../../../tar/archive';

const runTimeoutMs = 15 * 60_000;
const keptOutputChars = 5;
const scriptPath = '/berth-script.sh';

export interface ScriptRun {
  /** An image with a shell; what the script needs is there. */
  image: string;
  script: Buffer;
  args: readonly string[];
  /** Of the container: who waits for it. */
  labels: Readonly<Record<string, string>>;
  /** Told what it says on standard error, by the line. */
  line: (text: string) => void;
  signal: AbortSignal;
}

/** As root, with a network. `take` gets the stopped container, and what was printed. */
export async function runScript<T>(
  endpoint: Endpoint,
  run: ScriptRun,
  take: (container: Container, printed: string) => Promise<T>,
): Promise<T> {
  const { image, script, args, labels, signal } = run;
  const work = async (container: Container): Promise<T> => {
    const files = await archiveOf([{ name: scriptPath.slice(1), mode: 0o755, content: script }]);
    await container.putArchive(files, { path: '/' });
    const printed = await finish(container, run);
    return take(container, printed);
  };
  return endpoint.call(
    `run a script in ${image}`,
    async (docker) => {
      const container = await docker.createContainer({
        ...{ Image: image, User: '0', Entrypoint: [], Cmd: ['sh', scriptPath, ...args] },
        Labels: { ...labels },
      });
      const end = (): void => void container.remove({ force: true }).catch(() => undefined);
      signal.addEventListener('abort', end, { once: true });
      try {
        signal.throwIfAborted();
        return await work(container);
      } finally {
        signal.removeEventListener('abort', end);
        await container.remove({ force: true }).catch(() => undefined);
      }
    },
    { timeoutMs: runTimeoutMs, signal },
  );
}

async function finish(container: Container, { line }: ScriptRun): Promise<string> {
  const attached = await container.attach({ stream: true, stdout: true, stderr: true });
  const { stdout, stderr, done } = demultiplex(toReadable(attached));
  const said: string[] = [];
  const hear = (text: string): void => {
    line(text);
    said.push(text);
    said.splice(0, said.length - keptOutputChars);
  };
  const heard = Promise.all([eachLine(stdout, () => undefined), eachLine(stderr, hear)]);
  await container.start();
  const { StatusCode: code } = (await container.wait()) as { StatusCode: number };
  const [printed] = await heard;
  await done;
  if (code !== 0) {
    throw new BerthError(
      'runtime_unavailable',
      `A script in a container ended with ${code}: ${said.join(' ')}`,
    );
  }
  return printed.join('\n');
}

async function eachLine(stream: Readable, hear: (text: string) => void): Promise<string[]> {
  const lines: string[] = [];
  for await (const text of linesOf(stream)) {
    lines.push(text);
    hear(text);
  }
  return lines;
}
