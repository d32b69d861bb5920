import type { Command } from 'commander';
import { BerthError, type Workspace } from '../../../api';
import { failureOf, resultOf } from '../../../api/rules/results';
import { isForkOf } from '../../../api/workspaces/fork-of';
import { ownVolumesOf } from '../../../api/workspaces/own-volumes';
import type { EngineClient } from '../../../client/engine-client';
import type { Cli } from '../../cli';
import { exitCodeOf, formatFailure } from '../../failure';
import { printable } from '../../format/text';
import { examples } from '../../help';
import { follow } from '../../operation';
import { usedOf } from '../../volumes';

interface KeepOptions {
  yes?: boolean;
  forks: boolean;
}

/** `berth keep`. */
export function registerKeep(program: Command, cli: Cli): void {
  examples(
    program
      .command('keep')
      .description('take all files of a fork over to the workspace it was made of, and delete its forks')
      .argument('<fork>')
      .option('-y, --yes', 'do not ask; required without a terminal')
      .option('--no-forks', 'delete no fork: only the files are taken over')
      .action((name: string, options: KeepOptions) => keep(cli, name, options)),
    ['berth keep api-fork', 'shows what goes, and asks; what api has is kept as a snapshot'],
    ['berth keep api-fork --no-forks', ''],
  );
}

async function keep(cli: Cli, name: string, options: KeepOptions): Promise<void> {
  const client = await cli.engine();
  const all = await client.call('workspaces.list', { signal: cli.signal });
  const fork = await client.call('workspaces.get', { params: { name }, signal: cli.signal });
  const source = fork.forkedFrom?.workspace;
  if (source === undefined) {
    throw new BerthError('illegal_state', `Workspace ${name} is no fork of another one.`, { field: 'fork' });
  }
  const of = all.find((each) => each.name === source);
  const forks = options.forks && of !== undefined ? all.filter((each) => isForkOf(each, of)) : [];
  const loss = await lossOf(client, forks, cli.signal);
  const shared = await sharedOf(client, fork, source, cli.signal);
  const explanation = [
    `All files of ${source} become those of ${name}. What it has now is kept as a snapshot, which undoes it.`,
    ...shared,
    ...(loss.length === 0
      ? []
      : [
          'Then these are deleted, with all they have (of those that are not kept, the trash has it for a while):',
          ...loss,
        ]),
  ].join('\n');
  await cli.consent(options.yes, explanation, `Keep ${name}?`);
  const body = { delete: forks.map((each) => each.name) };
  const ended = await follow(cli, client, await client.call('workspaces.keep', { params: { name }, body }));
  const result = resultOf(ended, 'workspace.keep');
  if (ended.warnings.length > 0) {
    cli.exitCode = 1;
  }
  for (const each of result.notDeleted) {
    const error = failureOf(each);
    cli.exitCode = exitCodeOf(error);
    cli.streams.stderr.write(`${printable(each.workspace)}: `);
    cli.streams.stderr.write(formatFailure(error, cli.json, cli.errorStyle));
  }
  const { before, imageBefore, deleted } = result;
  cli.result(result, () =>
    [
      `${source} has the files of ${name}. To undo:`,
      ...before.map(({ volume, snapshot }) => `  berth snapshot restore ${volume} ${snapshot}`),
      ...(imageBefore === undefined ? [] : [`  berth rebuild ${source} --image ${printable(imageBefore)}`]),
      ...deleted.map((each) => `${each} is deleted.`),
    ].join('\n'),
  );
}

/** Named volumes that get the files of the fork's copies, and who else has them. */
async function sharedOf(
  client: EngineClient,
  { forkedFrom }: Workspace,
  source: string,
  signal: AbortSignal,
): Promise<string[]> {
  const volumes = (forkedFrom?.volumes ?? []).map(async ({ copyOf, volume }) => {
    const params = { volume: copyOf };
    const found = await client.call('volumes.get', { params, signal }).catch(() => undefined);
    const others = (found?.holders ?? [])
      .map(({ workspace, runtime }) => workspace ?? runtime)
      .filter((each) => each !== source);
    const who = others.length === 0 ? '' : `, also for ${[...new Set(others)].join(', ')}`;
    return `So does the volume ${copyOf}, from ${volume}${who}.`;
  });
  return Promise.all(volumes);
}

async function lossOf(
  client: EngineClient,
  forks: readonly Workspace[],
  signal: AbortSignal,
): Promise<string[]> {
  const volumes = forks.flatMap((fork) =>
    ownVolumesOf(fork).map(async (volume) => {
      const query = { usage: true };
      const found = await client
        .call('volumes.get', { params: { volume }, query, signal })
        .catch(() => undefined);
      return `  ${fork.name}, volume ${volume}: ${(found && usedOf(found)) ?? 'size unknown'}`;
    }),
  );
  return Promise.all(volumes);
}
