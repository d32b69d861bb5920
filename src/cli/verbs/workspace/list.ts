import type { Command } from 'commander';
import type { Cli } from '../../cli';
import { formatBytes } from '../../../api/rules/sizes';
import { formatFields } from '../../format/table';
import { examples } from '../../help';
import { collectTags } from '../../parse/options';
import { formatWorkspace, formatWorkspaces } from '../../workspaces';

interface ListOptions {
  quiet?: boolean;
  target?: string;
  tag?: string[];
}

/** `list`, `info`, `stats`. */
export function registerList(program: Command, cli: Cli): void {
  examples(
    program
      .command('list')
      .description('list workspaces')
      .option('-q, --quiet', 'names only')
      .option('--target <machine>', 'only those of this machine (`local`), or of another one')
      .option('--tag <tag>', 'only those that have this tag (repeatable: all of them)', collectTags)
      .action((options: ListOptions) => list(cli, options)),
    ['berth list', 'all of them with their states'],
    ['berth list --target box', 'those on the Docker of another machine'],
    ['berth stop $(berth list -q)', 'names for other commands'],
  );
  examples(
    program
      .command('info')
      .description('show all about a workspace')
      .argument('<name>')
      .action((name: string) => info(cli, name)),
    ['berth info demo', ''],
  );
  examples(
    program
      .command('stats')
      .description('show the CPU, memory, processes and network of a running workspace')
      .argument('<name>')
      .action((name: string) => stats(cli, name)),
    ['berth stats demo', ''],
  );
}

async function list(cli: Cli, { quiet = false, target, tag = [] }: ListOptions): Promise<void> {
  const client = await cli.engine();
  const all = await client.call('workspaces.list', {
    ...(target !== undefined && { query: { target } }),
    signal: cli.signal,
  });
  const workspaces = all.filter(({ tags = [] }) => tag.every((each) => tags.includes(each)));
  cli.result(workspaces, () =>
    quiet
      ? workspaces.map((workspace) => workspace.name).join('\n')
      : formatWorkspaces(workspaces, Date.now(), { target, tags: tag }),
  );
}

async function info(cli: Cli, name: string): Promise<void> {
  const client = await cli.engine();
  const workspace = await client.call('workspaces.get', { params: { name }, signal: cli.signal });
  cli.result(workspace, () => formatWorkspace(workspace, Date.now()));
}

async function stats(cli: Cli, name: string): Promise<void> {
  const client = await cli.engine();
  const now = await client.call('workspaces.stats', { params: { name }, signal: cli.signal });
  cli.result(now, () =>
    formatFields([
      ['cpu', `${now.cpuPercent.toFixed(1)} %`],
      ['memory', `${formatBytes(now.memoryBytes)} of ${formatBytes(now.memoryLimitBytes)}`],
      ['processes', String(now.pids)],
      ['received', formatBytes(now.networkRxBytes)],
      ['sent', formatBytes(now.networkTxBytes)],
    ]),
  );
}
