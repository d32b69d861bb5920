import type { Command } from 'commander';
import { asBerthError, BerthError, type Adoptable, type Operation } from '../../../api';
import { ownerWords } from '../../../api/rules/owner';
import type { EngineClient } from '../../../client/engine-client';
import type { Cli } from '../../cli';
import { formatTable } from '../../format/table';
import { examples } from '../../help';
import { follow } from '../../operation';
import { absoluteImage } from '../../parse/sources';

interface AdoptOptions {
  image?: string;
  yes?: boolean;
  takeOver?: boolean;
}

/** `berth adopt`. */
export function registerAdopt(program: Command, cli: Cli): void {
  examples(
    program
      .command('adopt')
      .description('list volumes of other tools, or make one a workspace')
      .argument('[name]')
      .option('--image <image>', 'the image of the workspace')
      .option('-y, --yes', 'consent to replace its container, with what lies outside of volumes')
      .option('--take-over', 'consent to take what another installation of Berth made')
      .action((name: string | undefined, options: AdoptOptions) =>
        name === undefined ? list(cli) : adopt(cli, name, options),
      ),
    ['berth adopt', 'what could be adopted'],
    ['berth adopt demo', 'the files stay as they are'],
  );
}

async function list(cli: Cli): Promise<void> {
  const client = await cli.engine();
  const found = await client.call('adoptable.list', { signal: cli.signal });
  cli.result(found, () => (found.length === 0 ? 'Nothing to adopt.' : formatAdoptables(found)));
}

/** A table of volumes, and the workspaces that can be made of them. */
export function formatAdoptables(found: readonly Adoptable[]): string {
  return formatTable(
    [
      { title: 'NAME' },
      { title: 'VOLUME' },
      { title: 'CONTAINER' },
      { title: 'IMAGE' },
      { title: 'MADE BY' },
    ],
    found.map((each) => [
      each.name,
      each.volume,
      each.container === undefined ? '-' : `${each.container} (${each.containerState ?? 'unknown'})`,
      each.image ?? '-',
      each.owner === undefined ? each.origin : ownerWords(each.owner),
    ]),
  );
}

async function adopt(cli: Cli, name: string, options: AdoptOptions): Promise<void> {
  const client = await cli.engine();
  const found = await client.call('adoptable.list', { signal: cli.signal });
  const adoptable = found.find((each) => each.name === name || each.volume === name);
  if (adoptable === undefined) {
    throw new BerthError('not_found', `There is nothing named "${name}" to adopt.`, {
      hint: '`berth adopt` lists what there is.',
    });
  }
  const { owner } = adoptable;
  if (owner !== undefined) {
    const explanation = `The volume ${adoptable.volume} belongs to ${ownerWords(owner)}, which loses its workspace.`;
    await cli.consent(options.takeOver, explanation, `Take over ${adoptable.volume}?`, '--take-over');
  }
  await follow(cli, client, await begin(cli, client, adoptable, options));
  const workspace = await client.call('workspaces.get', { params: { name: adoptable.name } });
  cli.result(workspace, () => `${workspace.name} is a workspace now, and ${workspace.state}.`);
}

/** Asks first when a container is replaced: the engine says what goes with it. */
async function begin(
  cli: Cli,
  client: EngineClient,
  { name, volume, owner }: Adoptable,
  { image, yes }: AdoptOptions,
): Promise<Operation> {
  const body = {
    volume,
    ...(image !== undefined && { image: absoluteImage(image, cli.cwd) }),
    ...(owner !== undefined && { takeOver: true }),
  };
  const adopting = (replaceContainer: boolean): Promise<Operation> =>
    client.call('adoptable.adopt', { params: { name }, body: { ...body, replaceContainer } });
  try {
    return await adopting(yes === true);
  } catch (error) {
    const { code, message } = asBerthError(error);
    if (code !== 'needs_confirmation') {
      throw error;
    }
    await cli.consent(false, message, `Adopt ${name}?`);
    return adopting(true);
  }
}
