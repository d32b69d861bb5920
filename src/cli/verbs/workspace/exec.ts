import { Readable, type Writable } from 'node:stream';
import type { Command } from 'commander';
import { BerthError, type ExecResult } from '../../../api';
import type { AttachRequest } from '../../../api/paths';
import { attach, type AttachSession } from '../../../client/attach';
import { CapturedOutput } from '../../captured';
import type { Cli } from '../../cli';
import { ExitWith, exitCodes } from '../../failure';
import { formatDuration } from '../../../api/rules/duration';
import { examples } from '../../help';
import { collectOutputs, locateOutputs, type Output, type Rescue } from '../../outputs';
import { collect, collectEnv, parseDuration } from '../../parse/options';
import { pumpInput, pumpOutput, rawTerminal, sizeOf } from '../../terminal/attached';
import { isTerminal } from '../../terminal/streams';

/** As timeout(1) has it. */
const timedOutCode = 124;

export interface ExecOptions {
  interactive?: boolean;
  stdin?: boolean;
  timeout?: number;
  tty?: boolean;
  env?: Record<string, string>;
  cwd?: string;
  user?: string;
  output?: string[];
}

/** `berth exec`. */
export function registerExec(program: Command, cli: Cli): void {
  examples(
    program
      .command('exec')
      .description('run a command in a running workspace, without SSH; passes its exit code')
      .argument('<name>')
      .argument('[command...]', 'after `--`; the login shell when left out')
      .option('-i, --interactive', 'pass standard input: always on, accepted for users of docker')
      .option('-n, --no-stdin', 'pass no standard input: for loops that read theirs')
      .option('-t, --tty', 'allocate a terminal (default: when berth runs in one)')
      .option('--no-tty', 'allocate no terminal')
      .option('--env <K=V>', 'set a variable (repeatable)', collectEnv)
      .option('--cwd <path>', 'run it in this folder (default: the clone, else the home directory)')
      .option(
        '--user <user>',
        'run it as this user, by name or id, alone or with :GROUP (default: workspace)',
      )
      .option('--timeout <time>', 'end it after 90s, 5m or 1h, with exit code 124', parseDuration)
      .option(
        '--output <LOCAL=PATH>',
        'copy PATH of its volumes to this machine when the command has ended (repeatable)',
        collect,
      )
      .action((name: string, command: string[], options: ExecOptions) => exec(cli, name, command, options)),
    ['berth exec demo -- ls -la', ''],
    ['berth exec demo -it -- bash', 'a terminal'],
    ['tar c . | berth exec demo -- tar x', 'standard input is passed'],
    [
      'berth exec demo --json -- git status',
      'stdout and stderr as text, or in base64 where they are not text: see "encoding"',
    ],
    ['berth exec demo --output report=/home/workspace/report -- make report', 'also when it fails'],
  );
}

/** Also copies what is declared as output, whatever became of the command; `rescue` is asked for what was not copied. */
export async function exec(
  cli: Cli,
  name: string,
  argv: string[],
  options: ExecOptions,
  rescue?: Rescue,
): Promise<void> {
  const captured = cli.json && argv.length > 0 ? new CapturedOutput() : undefined;
  // From the call on: an engine, or a Docker, that does not answer takes time as well.
  const limit = limitTime(options.timeout);
  let outputs: Output[] = [];
  let hasBegun = false;
  try {
    outputs = await limit.within(locateOutputs(cli, name, options.output ?? []));
    const client = await limit.within(cli.engine());
    const tty = captured === undefined && wantsTerminal(cli, options);
    const session = await attach(client, name, toRequest(cli, argv, options, tty), {
      signal: AbortSignal.any([cli.signal, limit.signal]),
    });
    hasBegun = true;
    cli.exitCode = await perform(cli, session, { ...options, tty }, captured);
  } catch (error) {
    if (!limit.signal.aborted) {
      throw error;
    }
    cli.exitCode = timedOutCode;
    if (captured === undefined) {
      cli.note(`The command took longer than ${formatDuration(options.timeout ?? 0)} and was ended.`);
    }
  } finally {
    limit.stop();
    // What could not be reached in time can't be asked for its files either.
    await (hasBegun || !limit.signal.aborted ? collectOutputs(cli, outputs, rescue) : undefined);
  }
  if (captured !== undefined) {
    cli.result(readable(answerOf(captured, cli.exitCode, limit.signal.aborted)), () => '');
  }
}

function wantsTerminal({ streams: { stdin, stdout } }: Cli, { tty }: ExecOptions): boolean {
  return tty ?? (isTerminal(stdin) && isTerminal(stdout));
}

async function perform(
  cli: Cli,
  session: AttachSession,
  options: ExecOptions,
  captured: CapturedOutput | undefined,
): Promise<number> {
  const { stdin, stdout, stderr } = cli.streams;
  // Nobody types the input of a program's call.
  const hasInput = options.stdin !== false && !(captured !== undefined && isTerminal(stdin));
  const restore = options.tty === true ? rawTerminal(cli.streams, session) : () => undefined;
  try {
    return await relay(cli, session, hasInput ? stdin : undefined, captured ?? { stdout, stderr });
  } finally {
    restore();
    session.close();
  }
}

/** With `--json`: all that it said, at its end; the exit code passes too. */
function answerOf(captured: CapturedOutput, exitCode: number, timedOut: boolean): ExecResult {
  const { truncated } = captured;
  return { exitCode, stdout: captured.of('stdout'), stderr: captured.of('stderr'), truncated, timedOut };
}

interface TimeLimit {
  /** Fires when the time is over: whoever is attached then lets go of the process, which the engine ends. */
  signal: AbortSignal;
  /** What is waited for, but no longer than the time lasts. */
  within<T>(wait: Promise<T>): Promise<T>;
  stop(): void;
}

function limitTime(ms: number | undefined): TimeLimit {
  const over = new AbortController();
  const timer = ms === undefined ? undefined : setTimeout(() => over.abort(), ms);
  return {
    signal: over.signal,
    within: (wait) => Promise.race([wait, aborted(over.signal)]),
    stop: () => clearTimeout(timer),
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(new BerthError('timeout', 'The time of the command is over.'));
    signal.addEventListener('abort', stop, { once: true });
  });
}

function toRequest(
  { streams, env }: Cli,
  argv: readonly string[],
  options: ExecOptions,
  tty: boolean,
): AttachRequest {
  return {
    ...(argv.length > 0 && { argv: [...argv] }),
    tty,
    ...(tty && { ...sizeOf(streams.stdout), env: { ...terminalOf(env), ...options.env } }),
    ...(!tty && options.env !== undefined && { env: options.env }),
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.user !== undefined && { user: options.user }),
  };
}

/** What a program draws with must fit the terminal that shows it; ssh passes the first of them, too. */
export function terminalOf({ TERM, COLORTERM }: NodeJS.ProcessEnv): Record<string, string> {
  return {
    ...(TERM !== undefined && TERM !== '' && { TERM }),
    ...(COLORTERM !== undefined && COLORTERM !== '' && { COLORTERM }),
  };
}

/** Moves bytes both ways until the process has ended; answers its exit code. */
async function relay(
  cli: Cli,
  session: AttachSession,
  stdin: Readable | undefined,
  to: { stdout: Writable; stderr: Writable },
): Promise<number> {
  const input = pumpInput(stdin ?? Readable.from([]), session);
  try {
    await Promise.all([
      pumpOutput(session.stdout, to.stdout, cli.signal),
      pumpOutput(session.stderr, to.stderr, cli.signal),
    ]);
    return await session.exit;
  } catch (error) {
    throw cli.signal.aborted ? new ExitWith(exitCodes.cancelled) : error;
  } finally {
    input.stop();
  }
}

export interface ReadableResult extends ExecResult {
  /** Of both outputs: text, unless one of them is none. */
  encoding: 'utf8' | 'base64';
}

/** The outputs as text where both are UTF-8. */
export function readable(answer: ExecResult): ReadableResult {
  try {
    const [stdout, stderr] = [answer.stdout, answer.stderr].map((output) => {
      // What was cut off may end in the middle of a character.
      const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
      return decoder.decode(Buffer.from(output, 'base64'), { stream: answer.truncated });
    });
    return { ...answer, stdout: stdout ?? '', stderr: stderr ?? '', encoding: 'utf8' };
  } catch {
    return { ...answer, encoding: 'base64' };
  }
}
