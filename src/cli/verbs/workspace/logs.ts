import type { Command } from 'commander';
import type { Cli } from '../../cli';
import { logLines } from '../../format/log-lines';
import { PrintableStream } from '../../format/text';
import { examples } from '../../help';
import { parseWhole } from '../../parse/options';
import { pumpOutput } from '../../terminal/attached';
import { isTerminal } from '../../terminal/streams';

interface LogsOptions {
  follow?: boolean;
  tail?: number;
  timestamps?: boolean;
  raw?: boolean;
}

/** `berth logs`. */
export function registerLogs(program: Command, cli: Cli): void {
  examples(
    program
      .command('logs')
      .description('show the log of a workspace')
      .argument('<name>')
      .option('-f, --follow', 'follow the log until Ctrl-C')
      .option('--tail <n>', 'only the last lines', parseWhole)
      .option('--timestamps', 'print the time before each line')
      .option(
        '--raw',
        'unchanged, with terminal control sequences (default: when the output is not a terminal)',
      )
      .action((name: string, options: LogsOptions) => logs(cli, name, options)),
    ['berth logs demo --tail 100', ''],
    ['berth logs demo -f', ''],
  );
}

async function logs(cli: Cli, name: string, options: LogsOptions): Promise<void> {
  const client = await cli.engine();
  const { raw, ...query } = options;
  const { stdout } = cli.streams;
  const stream = await client.logs(name, { ...query, signal: cli.signal });
  try {
    if (!cli.json) {
      await pumpOutput(
        raw === true || !isTerminal(stdout) ? stream : withoutControls(stream),
        stdout,
        cli.signal,
      );
      return;
    }
    for await (const line of logLines(stream)) {
      cli.print(JSON.stringify(line));
    }
  } catch (error) {
    // Ctrl-C is how following ends.
    if (options.follow !== true || !cli.signal.aborted) {
      throw error;
    }
  }
}

/** Whoever writes a log inside must not drive the terminal of who reads it. */
async function* withoutControls(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const text = new PrintableStream();
  for await (const chunk of stream) {
    yield text.push(chunk);
  }
  yield text.end();
}
