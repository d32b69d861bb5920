/**
 * The own files of one container made those of another one of the same image, by a program of ours in each of them: the
 * engine's own commit fills holes, drops attributes of users, cuts times to seconds and adds a layer each time.
 */
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BerthError } from '../../../../api/errors';
import { agentCommand } from '../../../inside/agent-source';
import { stdinOf } from '../../../inside/exec-input';
import { demultiplex } from '../engine/demux';
import type { Endpoint } from '../engine/endpoint';
import { finish, startExec } from '../runtime/exec';
import { toolsDirectory } from '../../../inside/init-script';
import { throwIfCancelled } from '../../../machine/wait';

const carryTimeoutMs = 60 * 60_000;
const reportKept = 65_536;
const quotedChars = 300;
const diskFull = 28;

/** What could not be carried, with how much of it there was, and where the first was. */
export type Left = readonly { what: string; count: number; first: string }[];

interface End {
  exitCode: number;
  /** The last line on standard error. */
  report: string;
}

interface Running {
  stdout: Readable;
  stdin: ReturnType<typeof stdinOf>;
  end: Promise<End>;
  cut: () => void;
}

/**
 * Both run, and nothing of the user's in them. `source`: see `ownFilesModules`. Throws `cancelled`, `timeout` after
 * minutes, and what could not be copied.
 */
export async function carryOwnFiles(
  endpoint: Endpoint,
  { from, to, source }: { from: string; to: string; source: Buffer },
  signal: AbortSignal,
): Promise<Left> {
  throwIfCancelled(signal, 'copy the files outside of volumes');
  const receiver = await run(endpoint, to, 'receive', source);
  const sender = await run(endpoint, from, 'send', source).catch((error: unknown) => {
    receiver.cut();
    throw error;
  });
  const cut = (): void => [sender, receiver].forEach((each) => each.cut());
  const ended = AbortSignal.any([signal, AbortSignal.timeout(carryTimeoutMs)]);
  ended.addEventListener('abort', cut, { once: true });
  if (ended.aborted) {
    cut();
  }
  try {
    const flows = Promise.allSettled([
      pipeline(sender.stdout, receiver.stdin),
      pipeline(receiver.stdout, sender.stdin),
    ]);
    const ends = await Promise.all([sender.end, receiver.end]);
    await flows;
    return leftOf(ends);
  } catch (error) {
    if (signal.aborted) {
      throw new BerthError('cancelled', 'Cancelled.', { cause: error });
    }
    throw ended.aborted
      ? new BerthError(
          'timeout',
          `The files of a container were not copied within ${carryTimeoutMs / 60_000} min.`,
        )
      : error;
  } finally {
    ended.removeEventListener('abort', cut);
    cut();
  }
}

async function run(endpoint: Endpoint, container: string, role: string, source: Buffer): Promise<Running> {
  const argv = agentCommand(`${toolsDirectory}/bin/python3`, role);
  const raw = await startExec(endpoint, container, { argv, user: '0:0', tty: false, env: [] });
  const { stdout, stderr, done } = demultiplex(raw.stream);
  let said = '';
  stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString('utf8')).slice(-reportKept)));
  // Both say the same, which `done` does as well; before anything is piped, nobody else listens.
  [stdout, stderr].forEach((stream) => stream.on('error', () => undefined));
  const stdin = stdinOf(raw.stream);
  stdin.on('error', () => undefined);
  stdin.write(source);
  const end = finish(endpoint, raw, container, done).then((exitCode) => ({
    exitCode,
    report: said.trim().split('\n').at(-1) ?? '',
  }));
  end.catch(() => undefined);
  return { stdout, stdin, end, cut: () => void raw.stream.destroy() };
}

/** The one that failed first has the reason; the other one only sees that it has ended. */
function leftOf(ends: readonly End[]): Left {
  const failures = ends.filter(({ exitCode }) => exitCode !== 0).map(failureOf);
  const options = failures.find(
    ({ errno, message }) => errno !== undefined || !/ended in the middle/.test(message),
  );
  const failure = options ?? failures[0];
  if (failure !== undefined) {
    const message = `The files outside of volumes could not be copied: ${lineOf(failure.message)}.`;
    throw failure.errno === diskFull
      ? new BerthError('no_space', message, {
          first: "Make room on the container engine's disk, or end the program that has the port.",
          remedy: 'start',
        })
      : new BerthError('internal', message, {
          first: 'End the program that has the port.',
          remedy: 'start',
        });
  }
  const { left } = parsed(ends.at(-1)?.report ?? '');
  if (typeof left !== 'object' || left === null) {
    throw new BerthError(
      'internal',
      'It is not known whether all files outside of volumes were copied: nothing was changed.',
      {
        remedy: 'start',
      },
    );
  }
  return Object.entries(left).flatMap(toLeft);
}

function toLeft([what, value]: [string, unknown]): Left {
  const [count, first] = Array.isArray(value) ? (value as unknown[]) : [];
  return typeof count === 'number' && typeof first === 'string' ? [{ what, count, first }] : [];
}

/** One that was killed, e.g. for want of memory, has said nothing. */
function failureOf({ report, exitCode }: End): { message: string; errno?: number } {
  const { error, errno } = parsed(report);
  const said = report === '' ? `the program that copies them ended with code ${exitCode}` : report;
  return {
    message: typeof error === 'string' ? error : said,
    ...(typeof errno === 'number' && { errno }),
  };
}

/** Names of a guest's files are in it. */
function lineOf(text: string): string {
  return text
    .slice(0, quotedChars)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .replace(/[.\s]+$/, '');
}

function parsed(report: string): { error?: unknown; errno?: unknown; left?: unknown } {
  try {
    const value: unknown = JSON.parse(report);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
