import type { Command } from 'commander';
import { BerthError, type Adoptable } from '../../api';
import { ownerWords } from '../../api/owner';
import type { Cli } from '../cli';
import { formatTable } from '../format/table';
import { examples } from '../help';
import { follow } from '../operation';

interface AdoptOptions {
  image?: string;
  yes?: boolean;
  takeOver?: boolean;
}

export function registerAdopt(program: Command, cli: Cli): void {
  examples(
    program
      .command('adopt')
      .description('list volumes of other tools, or make one a workspace')
      .argument('[name]')
      .option('--image <image>', 'the image of the workspace')
      .option('-y, --yes', 'consent to replace the container that holds it now')
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
  const { container, owner } = adoptable;
  if (owner !== undefined) {
    const explanation = `The volume ${adoptable.volume} belongs to ${ownerWords(owner)}, which loses its workspace.`;
    await cli.consent(options.takeOver, explanation, `Take over ${adoptable.volume}?`, '--take-over');
  }
  if (container !== undefined) {
    const explanation = `The volume ${adoptable.volume} stays. The container ${container} is removed, with what lies outside of its volumes, and built anew.`;
    await cli.consent(options.yes, explanation, `Replace the container ${container}?`);
  }
  const begun = await client.call('adoptable.adopt', {
    params: { name: adoptable.name },
    body: {
      volume: adoptable.volume,
      ...(options.image !== undefined && { image: options.image }),
      ...(container !== undefined && { replaceContainer: true }),
      ...(owner !== undefined && { takeOver: true }),
    },
  });
  await follow(cli, client, begun);
  const workspace = await client.call('workspaces.get', { params: { name: adoptable.name } });
  cli.result(workspace, () => `${workspace.name} is a workspace now, and ${workspace.state}.`);
}
