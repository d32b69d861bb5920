import type { Command } from 'commander';
import { asBerthError, type Limits, type Operation } from '../../../api';
import type { EngineClient } from '../../../client/engine-client';
import type { Cli } from '../../cli';
import { printable } from '../../format/text';
import { examples } from '../../help';
import { follow } from '../../operation';
import { parseSize, parseNumber, parseWhole } from '../../parse/options';
import { absoluteImage } from '../../parse/sources';
import { formatLimits, formatWarnings } from '../../workspaces';

/** Options of `create` and `limits`. */
export interface LimitOptions {
  cpus?: number;
  memory?: number;
  pids?: number;
  shm?: number;
}

/** The limits that options name; undefined for none. */
export function toLimits(options: LimitOptions): Limits | undefined {
  const limits: Limits = {
    ...(options.cpus !== undefined && { cpus: options.cpus }),
    ...(options.memory !== undefined && { memoryMiB: options.memory }),
    ...(options.pids !== undefined && { pids: options.pids }),
    ...(options.shm !== undefined && { shmMiB: options.shm }),
  };
  return Object.keys(limits).length === 0 ? undefined : limits;
}

/** `rebuild`, `rename`, `limits`. */
export function registerChange(program: Command, cli: Cli): void {
  examples(
    program
      .command('rebuild')
      .description('build a new runtime on the same volumes, from the image as it is now or another one')
      .argument('<name>')
      .option('--image <image>', 'the image to use from now on')
      .option('-y, --yes', 'do not ask; required without a terminal')
      .option('--accept-empty', 'go on with new, empty volumes in place of those that are gone')
      .action((name: string, options: RebuildOptions) => rebuild(cli, name, options)),
    ['berth rebuild demo', 'shows what will be removed, and asks'],
    ['berth rebuild demo --yes', 'after `berth image build`'],
    ['berth rebuild demo --image debian:12', ''],
  );
  examples(
    program
      .command('rename')
      .description('change the label of a workspace; its name stays')
      .argument('<name>')
      .argument('<label>')
      .action((name: string, label: string) => rename(cli, name, label)),
    ['berth rename demo "The demo"', ''],
  );
  examples(
    program
      .command('limits')
      .description('show or change CPU, memory and process limits, also while it runs')
      .argument('<name>')
      .option('--cpus <n>', 'CPUs, e.g. 1.5', parseNumber)
      .option('--memory <size>', 'memory: 512m, 2g, or MiB', parseSize)
      .option('--pids <n>', 'processes', parseWhole)
      .action((name: string, options: LimitOptions) => limits(cli, name, options)),
    ['berth limits demo', 'show them'],
    ['berth limits demo --cpus 2 --memory 4g', ''],
  );
}

interface RebuildOptions {
  image?: string;
  yes?: boolean;
  acceptEmpty?: boolean;
}

async function rebuild(cli: Cli, name: string, options: RebuildOptions): Promise<void> {
  const client = await cli.engine();
  await follow(cli, client, await beginRebuild(cli, client, name, options));
  const workspace = await client.call('workspaces.get', { params: { name } });
  cli.result(workspace, () => `${name} is ${workspace.state}.`);
}

/** Asks first when something goes: the engine says what that is. */
async function beginRebuild(
  cli: Cli,
  client: EngineClient,
  name: string,
  { image, yes, acceptEmpty }: RebuildOptions,
): Promise<Operation> {
  const body = {
    ...(image !== undefined && { image: absoluteImage(image, cli.cwd) }),
    ...(acceptEmpty === true && { acceptEmpty }),
  };
  const begin = (confirm: boolean): Promise<Operation> =>
    client.call('workspaces.rebuild', { params: { name }, body: { ...body, confirm } });
  try {
    return await begin(yes === true);
  } catch (error) {
    const { code, message, hint } = asBerthError(error);
    if (code !== 'needs_confirmation') {
      throw error;
    }
    await cli.consent(false, [message, hint].filter(Boolean).join(' '), `Rebuild ${name}?`);
    return begin(true);
  }
}

async function rename(cli: Cli, name: string, label: string): Promise<void> {
  const client = await cli.engine();
  const workspace = await client.call('workspaces.update', { params: { name }, body: { label } });
  cli.result(workspace, () => `${name} is now called "${printable(workspace.label)}".`);
}

async function limits(cli: Cli, name: string, options: LimitOptions): Promise<void> {
  const client = await cli.engine();
  const wanted = toLimits(options);
  const workspace = await client.call('workspaces.get', { params: { name }, signal: cli.signal });
  const changed =
    wanted === undefined
      ? workspace
      : await client.call('workspaces.update', {
          params: { name },
          body: { limits: wanted },
        });
  cli.result(changed, () => [formatLimits(changed), ...formatWarnings(changed, 'limits')].join('\n'));
}
