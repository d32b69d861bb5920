import type { Command } from 'commander';
import type { AttachRequest } from '../../api/paths';
import { readAll } from '../../client/transport';
import { attach, type AttachSession } from '../../client/attach';
import type { Cli } from '../cli';
import { ExitWith, exitCodes } from '../failure';
import { examples } from '../help';
import { collectOutputs, locateOutputs } from '../outputs';
import { collect, collectEnv } from '../parse/options';
import { pumpInput, pumpOutput, rawTerminal, sizeOf } from '../terminal/attached';
import { isTerminal } from '../terminal/streams';

export interface ExecOptions {
  interactive?: boolean;
  tty?: boolean;
  env?: Record<string, string>;
  cwd?: string;
  user?: string;
  output?: string[];
}

export function registerExec(program: Command, cli: Cli): void {
  examples(
    program
      .command('exec')
      .description('run a command in a running workspace, without SSH; passes its exit code')
      .argument('<name>')
      .argument('[command...]', 'after `--`; the login shell when left out')
      .option('-i, --interactive', 'pass standard input; always done, accepted as a habit from docker')
      .option('-t, --tty', 'allocate a terminal (default: when this is one)')
      .option('--no-tty', 'allocate no terminal')
      .option('--env <K=V>', 'set a variable (repeatable)', collectEnv)
      .option('--cwd <path>', 'run it there (default: the home directory)')
      .option('--user <user>', 'run it as this user (default: workspace)')
      .option(
        '--output <LOCAL=PATH>',
        'copy PATH of its volumes to this machine when the command has ended (repeatable)',
        collect,
      )
      .action((name: string, command: string[], options: ExecOptions) => exec(cli, name, command, options)),
    ['berth exec demo -- ls -la', ''],
    ['berth exec demo -it -- bash', 'a terminal'],
    ['tar c . | berth exec demo -- tar x', 'standard input is passed'],
    ['berth exec demo --output report=/home/workspace/report -- make report', 'also when it fails'],
  );
}

/** Also copies what is declared as output, whatever became of the command. */
export async function exec(cli: Cli, name: string, argv: string[], options: ExecOptions): Promise<void> {
  const outputs = await locateOutputs(cli, name, options.output ?? []);
  try {
    await perform(cli, name, argv, options);
  } finally {
    await collectOutputs(cli, outputs);
  }
}

async function perform(cli: Cli, name: string, argv: string[], options: ExecOptions): Promise<void> {
  if (cli.json && argv.length > 0) {
    await capture(cli, name, argv, options);
    return;
  }
  const { stdin, stdout } = cli.streams;
  const tty = options.tty ?? (isTerminal(stdin) && isTerminal(stdout));
  const client = await cli.engine();
  const session = await attach(client, name, toRequest(argv, options, tty, stdout), { signal: cli.signal });
  const restore = tty ? rawTerminal(cli.streams, session) : () => undefined;
  try {
    cli.exitCode = await relay(cli, session);
  } finally {
    restore();
    session.close();
  }
}

function toRequest(
  argv: readonly string[],
  options: ExecOptions,
  tty: boolean,
  stdout: NodeJS.WriteStream,
): AttachRequest {
  return {
    ...(argv.length > 0 && { argv: [...argv] }),
    tty,
    ...(tty && sizeOf(stdout)),
    ...(options.env !== undefined && { env: options.env }),
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.user !== undefined && { user: options.user }),
  };
}

/** Moves bytes both ways until the process has ended; answers its exit code. */
async function relay(cli: Cli, session: AttachSession): Promise<number> {
  const input = pumpInput(cli.streams.stdin, session);
  try {
    await Promise.all([
      pumpOutput(session.stdout, cli.streams.stdout, cli.signal),
      pumpOutput(session.stderr, cli.streams.stderr, cli.signal),
    ]);
    return await session.exit;
  } catch (error) {
    throw cli.signal.aborted ? new ExitWith(exitCodes.cancelled) : error;
  } finally {
    input.stop();
  }
}

/** With `--json`: the answer of the API, output in base64 as it may be bytes; the exit code passes too. */
async function capture(cli: Cli, name: string, argv: string[], options: ExecOptions): Promise<void> {
  const { stdin } = cli.streams;
  const input = isTerminal(stdin) ? Buffer.alloc(0) : await readAll(stdin);
  const client = await cli.engine();
  const answer = await client.call('workspaces.exec', {
    params: { name },
    body: {
      argv,
      ...(input.length > 0 && { stdin: input.toString('base64') }),
      ...(options.env !== undefined && { env: options.env }),
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      ...(options.user !== undefined && { user: options.user }),
    },
    signal: cli.signal,
  });
  cli.result(answer, () => '');
  cli.exitCode = answer.exitCode;
}
