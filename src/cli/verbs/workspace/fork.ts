import type { Command } from 'commander';
import { BerthError, type Workspace } from '../../../api';
import { failureOf, resultOf } from '../../../api/rules/results';
import type { ForkRequest } from '../../../api/workspaces/fork';
import type { EngineClient } from '../../../client/engine-client';
import type { Cli } from '../../cli';
import { exitCodeOf, formatFailure } from '../../failure';
import { printable } from '../../format/text';
import { examples } from '../../help';
import { follow } from '../../operation';
import { parseWhole } from '../../parse/options';
import { checkWorkspaceName } from '../../parse/workspace-name';

interface ForkOptions {
  count?: number;
  from?: string;
  start: boolean;
}

/** `berth fork`. */
export function registerFork(program: Command, cli: Cli): void {
  examples(
    program
      .command('fork')
      .description('make new workspaces of one, with copies of its files; it goes on meanwhile')
      .argument('<name>')
      .argument('[new...]', 'names of the forks (default: NAME-fork)')
      .option('--count <n>', 'how many, with names that are free', parseWhole)
      .option('--from <snapshot>', 'begin with a snapshot of its home, by id or name')
      .option('--no-start', 'leave the forks stopped')
      .action((name: string, names: string[], options: ForkOptions) => fork(cli, name, names, options)),
    ['berth fork api', 'api-fork, with all that api has now'],
    ['berth fork api try-1 try-2 try-3', 'three at once, each for itself'],
    ['berth fork api old --from before-upgrade', ''],
  );
}

async function fork(cli: Cli, name: string, names: string[], options: ForkOptions): Promise<void> {
  if (names.length > 0 && options.count !== undefined) {
    throw new BerthError('bad_request', 'Give the names of the forks, or how many: not both.', {
      field: 'count',
      hint: 'Leave out `--count`.',
    });
  }
  names.forEach(checkWorkspaceName);
  const body: ForkRequest = {
    ...(names.length > 0 && { names }),
    ...(options.count !== undefined && { count: options.count }),
    ...(options.from !== undefined && { snapshot: options.from }),
    ...(!options.start && { start: false }),
  };
  const client = await cli.engine();
  const ended = await follow(
    cli,
    client,
    await client.call('workspaces.fork', { params: { name }, body, signal: cli.signal }),
  );
  const { forks, notes = [] } = resultOf(ended, 'workspace.fork');
  if (ended.warnings.length > 0) {
    cli.exitCode = 1;
  }
  notes.forEach((note) => cli.streams.stderr.write(`note: ${printable(note)}\n`));
  for (const each of forks) {
    if (!each.ok) {
      const error = failureOf(each);
      cli.exitCode = exitCodeOf(error);
      cli.streams.stderr.write(`${printable(each.workspace)}: `);
      cli.streams.stderr.write(formatFailure(error, cli.json, cli.errorStyle));
    }
  }
  const made = await Promise.all(forks.filter(({ ok }) => ok).map(({ workspace }) => get(client, workspace)));
  cli.result({ forks, workspaces: made }, () =>
    made.map((each) => `${each.name} is ${each.state}: a fork of ${name}.`).join('\n'),
  );
}

const get = (client: EngineClient, name: string): Promise<Workspace> =>
  client.call('workspaces.get', { params: { name } });
