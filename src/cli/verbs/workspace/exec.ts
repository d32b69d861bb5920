import { Readable, type Writable } from 'node:stream';
import type { Command } from 'commander';
import type { ExecResult } from '../../../api';
import type { AttachRequest } from '../../../api/paths';
import { attach, type AttachSession } from '../../../client/attach';
import { CapturedOutput } from '../../captured';
import type { Cli } from '../../cli';
import { ExitWith, exitCodes } from '../../failure';
import { formatDuration } from '../../../api/rules/duration';
import { examples } from '../../help';
import { collectOutputs, locateOutputs, type Rescue } from '../../outputs';
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
  const outputs = await locateOutputs(cli, name, options.output ?? []);
  try {
    await perform(cli, name, argv, options);
  } finally {
    await collectOutputs(cli, outputs, rescue);
  }
}

async function perform(cli: Cli, name: string, argv: string[], options: ExecOptions): Promise<void> {
  const { stdin, stdout, stderr } = cli.streams;
  const captured = cli.json && argv.length > 0 ? new CapturedOutput() : undefined;
  const tty = captured === undefined && (options.tty ?? (isTerminal(stdin) && isTerminal(stdout)));
  // Nobody types the input of a program's call.
  const hasInput = options.stdin !== false && !(captured !== undefined && isTerminal(stdin));
  const client = await cli.engine();
  const session = await attach(client, name, toRequest(cli, argv, options, tty), { signal: cli.signal });
  const restore = tty ? rawTerminal(cli.streams, session) : () => undefined;
  const limit = limitTime(session, options.timeout);
  try {
    cli.exitCode = await relay(cli, session, hasInput ? stdin : undefined, captured ?? { stdout, stderr });
  } catch (error) {
    if (!limit.isOver()) {
      throw error;
    }
    cli.exitCode = timedOutCode;
    if (captured === undefined) {
      cli.note(`The command took longer than ${formatDuration(options.timeout ?? 0)} and was ended.`);
    }
  } finally {
    limit.stop();
    restore();
    session.close();
  }
  if (captured !== undefined) {
    cli.result(readable(answerOf(captured, cli.exitCode, limit.isOver())), () => '');
  }
}

/** With `--json`: all that it said, at its end; the exit code passes too. */
function answerOf(captured: CapturedOutput, exitCode: number, timedOut: boolean): ExecResult {
  const { truncated } = captured;
  return { exitCode, stdout: captured.of('stdout'), stderr: captured.of('stderr'), truncated, timedOut };
}

/** Lets go of the process when its time is over: the engine ends it. */
function limitTime(session: AttachSession, ms: number | undefined): { isOver(): boolean; stop(): void } {
  if (ms === undefined) {
    return { isOver: () => false, stop: () => undefined };
  }
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    session.close();
  }, ms);
  return { isOver: () => isOver, stop: () => clearTimeout(timer) };
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
