import type { Command } from 'commander';
import type { Cli } from '../cli';
import { examples } from '../help';
import { parseWhole } from '../parse/options';
import { pumpOutput } from '../terminal/attached';

interface LogsOptions {
  follow?: boolean;
  tail?: number;
  timestamps?: boolean;
}

export function registerLogs(program: Command, cli: Cli): void {
  examples(
    program
      .command('logs')
      .description('show the log of a workspace')
      .argument('<name>')
      .option('-f, --follow', 'go on until Ctrl-C')
      .option('--tail <n>', 'only the last lines', parseWhole)
      .option('--timestamps', 'the time before each line')
      .action((name: string, options: LogsOptions) => logs(cli, name, options)),
    ['berth logs demo --tail 100', ''],
    ['berth logs demo -f', ''],
  );
}

async function logs(cli: Cli, name: string, options: LogsOptions): Promise<void> {
  const client = await cli.engine();
  const stream = await client.logs(name, { ...options, signal: cli.signal });
  try {
    if (!cli.json) {
      await pumpOutput(stream, cli.streams.stdout);
      return;
    }
    stream.setEncoding('utf8');
    let rest = '';
    for await (const chunk of stream) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach((line) => cli.print(JSON.stringify({ line })));
    }
    if (rest !== '') {
      cli.print(JSON.stringify({ line: rest }));
    }
  } catch (error) {
    // Ctrl-C is how following ends.
    if (options.follow !== true || !cli.signal.aborted) {
      throw error;
    }
  }
}
