import { Option, type Command } from 'commander';
import { BerthError, type VolumeKind } from '../../api';
import { ownerWords } from '../../api/rules/owner';
import { deletedByWholeName } from '../../api/rules/session-volume';
import type { EngineClient } from '../../client/engine-client';
import type { Cli } from '../cli';
import { formatMiB } from '../../api/rules/sizes';
import { examples } from '../help';
import { forEach } from '../operation';
import { parseSize } from '../parse/options';
import { keptWords } from './trash';
import { formatVolume, formatVolumes, usedOf } from '../volumes';

interface CreateOptions {
  kind?: VolumeKind;
  size?: number;
  sizeMib?: number;
}

interface RemoveOptions {
  yes?: boolean;
  force?: boolean;
  now?: boolean;
}

interface ListOptions {
  usage?: boolean;
  target?: string;
}

/** `volume create|list|info|delete|adopt|resize|protect|unprotect`. */
export function registerVolume(program: Command, cli: Cli): void {
  const volume = program
    .command('volume')
    .description('create, list, show, delete, adopt, resize and protect volumes');
  examples(
    volume
      .command('create')
      .description('create a volume')
      .argument('<name>')
      .addOption(new Option('--kind <kind>').choices(['docker', 'disk', 'directory']))
      .option('--size <size>', 'size of a disk: 2g, 512m, or a number of MiB', parseSize)
      .addOption(new Option('--size-mib <n>').argParser(parseSize).conflicts('size').hideHelp())
      .action((name: string, options: CreateOptions) => create(cli, name, options)),
    ['berth volume create cache', 'then `berth create demo -v cache:/cache`'],
  );
  examples(
    volume
      .command('list')
      .description('list volumes')
      .option('--usage', 'measure how much space they use (slow)')
      .option('--target <machine>', 'only those of this machine (`local`), or of another one')
      .action((options: ListOptions) => list(cli, options)),
    ['berth volume list --usage', ''],
  );
  examples(
    volume
      .command('info')
      .alias('status')
      .description('show all about a volume, with its use')
      .argument('<name>')
      .action((name: string) => info(cli, name)),
    ['berth volume info cache', ''],
  );
  examples(
    volume
      .command('delete')
      .description('delete volumes with all their files, after a question; they can be had back for a while')
      .argument('<name...>')
      .option('-y, --yes', 'do not ask; required without a terminal')
      .option('-f, --force', 'also those that a stopped workspace holds, or that another tool made')
      .option('--now', 'for good: nothing is kept in the trash')
      .action((names: string[], options: RemoveOptions) => remove(cli, names, options)),
    ['berth volume delete cache', ''],
  );
  registerChanges(volume, cli);
  registerProtection(volume, cli);
}

function registerProtection(volume: Command, cli: Cli): void {
  examples(
    volume
      .command('protect')
      .description('refuse to delete volumes, also with their workspaces, until they are unprotected')
      .argument('<name...>')
      .action((names: string[]) => protect(cli, names, true)),
    ['berth volume protect data', ''],
  );
  examples(
    volume
      .command('unprotect')
      .description('take the protection of volumes away')
      .argument('<name...>')
      .action((names: string[]) => protect(cli, names, false)),
    ['berth volume unprotect data', ''],
  );
}

async function protect(cli: Cli, names: string[], isProtected: boolean): Promise<void> {
  const client = await cli.engine();
  const changed = await forEach(cli, names, (volume) =>
    client.call('volumes.update', { params: { volume }, body: { protected: isProtected } }),
  );
  cli.result(changed, () =>
    changed.map(({ name }) => `Volume ${name} is ${isProtected ? '' : 'no longer '}protected.`).join('\n'),
  );
}

function registerChanges(volume: Command, cli: Cli): void {
  examples(
    volume
      .command('adopt')
      .description('take over a volume that another tool or installation made')
      .argument('<name>')
      .option('--take-over', 'consent to take what another installation of Berth made')
      .action((name: string, options: { takeOver?: boolean }) => adopt(cli, name, options.takeOver === true)),
    ['berth volume adopt data --take-over', 'e.g. from an installation that is lost'],
  );
  examples(
    volume
      .command('resize')
      .description('grow a disk that nothing holds')
      .argument('<name>')
      .argument('[size]', '4g, 512m, or MiB', parseSize)
      .addOption(new Option('--size-mib <n>').argParser(parseSize).hideHelp())
      .action((name: string, size: number | undefined, options: { sizeMib?: number }) =>
        resize(cli, name, size ?? options.sizeMib),
      ),
    ['berth volume resize data 4g', ''],
  );
}

async function create(cli: Cli, name: string, options: CreateOptions): Promise<void> {
  const client = await cli.engine();
  const sizeMiB = options.size ?? options.sizeMib;
  const volume = await client.call('volumes.create', {
    body: {
      name,
      ...(options.kind !== undefined && { kind: options.kind }),
      ...(sizeMiB !== undefined && { sizeMiB }),
    },
  });
  cli.result(volume, () => `Volume ${volume.name} is created.`);
}

async function list(cli: Cli, options: ListOptions): Promise<void> {
  const client = await cli.engine();
  const volumes = await client.call('volumes.list', { query: options, signal: cli.signal });
  cli.result(volumes, () => formatVolumes(volumes, Date.now(), options.target));
}

async function info(cli: Cli, name: string): Promise<void> {
  const client = await cli.engine();
  const volume = await inspect(client, name, cli.signal);
  cli.result(volume, () => formatVolume(volume, Date.now()));
}

async function remove(cli: Cli, names: string[], options: RemoveOptions): Promise<void> {
  const client = await cli.engine();
  if (options.yes !== true && cli.isInteractive) {
    const volumes = await Promise.all(names.map((name) => inspectExact(client, name, cli.signal)));
    const lines = volumes.map((volume) => `${volume.name}, ${usedOf(volume) ?? 'size unknown'}`);
    await cli.consent(false, `With all their files:\n  ${lines.join('\n  ')}`, 'Delete?');
  } else {
    await cli.consent(options.yes, '', `Delete the volumes ${names.join(', ')}?`);
  }
  const deleted = await forEach(cli, names, async (volume) => {
    const { force, now } = options;
    const query = { ...(force === true && { force }), ...(now === true && { now }) };
    const { trash } = await client.call('volumes.delete', { params: { volume }, query });
    const kept = await keptWords(client, trash);
    return { answer: { name: volume, deleted: true, ...(trash !== undefined && { trash }) }, kept };
  });
  cli.result(
    deleted.map(({ answer }) => answer),
    () =>
      deleted
        .flatMap(({ answer, kept }) => [`Volume ${answer.name} is deleted.`, kept ?? []].flat())
        .join('\n'),
  );
}

async function adopt(cli: Cli, name: string, takeOver: boolean): Promise<void> {
  const client = await cli.engine();
  const { owner } = await client.call('volumes.get', { params: { volume: name }, signal: cli.signal });
  if (owner !== undefined) {
    const explanation = `The volume ${name} belongs to ${ownerWords(owner)}, which loses it.`;
    await cli.consent(takeOver, explanation, `Take over ${name}?`, '--take-over');
  }
  const volume = await client.call('volumes.adopt', {
    params: { volume: name },
    body: { ...(owner !== undefined && { takeOver: true }) },
  });
  cli.result(volume, () => `Volume ${name} belongs to this installation now.`);
}

async function resize(cli: Cli, name: string, sizeMiB: number | undefined): Promise<void> {
  if (sizeMiB === undefined) {
    throw new BerthError('bad_request', 'Give the new size.', {
      hint: 'E.g. `berth volume resize data 4g`.',
    });
  }
  const client = await cli.engine();
  const volume = await client.call('volumes.resize', { params: { volume: name }, body: { sizeMiB } });
  cli.result(volume, () => `Volume ${name} has ${formatMiB(volume.sizeMiB ?? sizeMiB)}.`);
}

/** What the question names is what a yes deletes. */
async function inspectExact(client: EngineClient, name: string, signal: AbortSignal) {
  const volume = await inspect(client, name, signal);
  if (volume.name !== name) {
    throw deletedByWholeName(name, volume.name);
  }
  return volume;
}

function inspect(client: EngineClient, volume: string, signal: AbortSignal) {
  return client.call('volumes.get', { params: { volume }, query: { usage: true }, signal });
}
