import { Option, type Command } from 'commander';
import { BerthError, type Workspace } from '../../api';
import type { AutomaticSnapshots } from '../../api/snapshots/schemas';
import type { Cli } from '../cli';
import { formatFields } from '../format/table';
import { printable } from '../format/text';
import { examples } from '../help';
import { parseMinutes } from '../parse/options';
import { automaticWords, keepWords } from '../snapshots';
import { addKeepOptions, keepOf, type KeepOptions } from './keep-options';

interface AutoOptions extends KeepOptions {
  every?: number;
  atStop?: boolean;
  off?: boolean;
}

/** `snapshot auto`: shows or changes when a workspace makes snapshots by itself. */
export function registerSnapshotAuto(snapshot: Command, cli: Cli): void {
  const auto = snapshot
    .command('auto')
    .description(
      'show or change when snapshots of the volumes that a workspace writes to are made by themselves, and which of them stay',
    )
    .argument('<workspace>')
    .addOption(
      new Option('--every <time>', 'one so often while it is used: 1h, 1d; 0 means never').argParser(
        parseMinutes,
      ),
    )
    .option('--at-stop', 'one whenever it has stopped, crashes included')
    .option('--no-at-stop', 'none at stops');
  addKeepOptions(auto);
  examples(
    auto
      .addOption(
        new Option('--off', 'make no more; those that are there stay').conflicts(['every', 'atStop']),
      )
      .action((name: string, options: AutoOptions) => change(cli, name, options)),
    ['berth snapshot auto demo --every 1h --at-stop', ''],
    ['berth snapshot auto demo --keep-last 10 --keep-daily 7', ''],
    ['berth snapshot auto demo', 'shows what is set'],
  );
}

async function change(cli: Cli, name: string, options: AutoOptions): Promise<void> {
  const client = await cli.engine();
  const workspace = await client.call('workspaces.get', { params: { name }, signal: cli.signal });
  if (Object.keys(options).length === 0) {
    cli.result(workspace.spec.snapshots ?? {}, () => shown(workspace));
    return;
  }
  const snapshots = wanted(workspace.spec.snapshots, options);
  const changed = await client.call('workspaces.update', { params: { name }, body: { snapshots } });
  cli.result(changed.spec.snapshots ?? {}, () => shown(changed));
}

/** Rules are replaced as a whole, as they only mean something together. */
function wanted(before: AutomaticSnapshots = {}, options: AutoOptions): AutomaticSnapshots {
  const { every, atStop, off } = options;
  const keep = keepOf(options);
  const next = {
    ...before,
    ...(every !== undefined && { every }),
    ...(atStop !== undefined && { atStop }),
    ...(keep !== undefined && { keep }),
    ...(off === true && { every: 0, atStop: false }),
  };
  if (keep !== undefined && off !== true && !isOn(next)) {
    throw new BerthError('bad_request', 'Nothing says when snapshots are made.', {
      field: 'every',
      hint: 'Give `--every 1h`, `--at-stop`, or both.',
    });
  }
  return next;
}

const isOn = ({ every = 0, atStop = false }: AutomaticSnapshots): boolean => every > 0 || atStop;

function shown({ name, spec: { snapshots = {} } }: Workspace): string {
  const when = automaticWords(snapshots);
  return when === undefined
    ? `${printable(name)} makes no snapshots by itself. Let it: berth snapshot auto ${name} --every 1h --at-stop`
    : formatFields([
        ['snapshots', when],
        ['kept', keepWords(snapshots.keep)],
      ]);
}
