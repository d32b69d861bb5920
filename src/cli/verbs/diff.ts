import { posix } from 'node:path';
import type { Command } from 'commander';
import type { ComparedPlace } from '../../client/compare';
import type { EngineClient } from '../../client/engine-client';
import type { Cli } from '../cli';
import { diff, type DiffOptions } from '../diff/diff';
import { examples } from '../help';
import { parseRemote } from '../parse/place';
import { resolvePlace, withMounts } from '../remote';

const where = 'NAME, NAME:path, volume:NAME:/path, or snapshot:NAME/SNAPSHOT:/path';

/** `berth diff`. */
export function registerDiff(program: Command, cli: Cli): void {
  const command = program
    .command('diff')
    .description('show what of two trees of files differs: of workspaces, volumes, snapshots; running or not')
    .argument('<before>', where)
    .argument('<after>', where)
    .argument('[path]', 'in both')
    .action((before: string, after: string, path: string | undefined, options: DiffOptions) =>
      diff(cli, options, async (client) => ({
        before: await placeOf(cli, client, before, path),
        after: await placeOf(cli, client, after, path),
      })),
    );
  addForms(command);
  examples(
    command,
    ['berth diff demo other', 'their homes'],
    ['berth diff demo demo-fork --gitignore --stat', 'without what is built again'],
    ['berth diff snapshot:demo/before demo src --patch', 'one folder, as a patch'],
  );
}

/** The forms that a comparison is shown in, and what its exit code says. */
export function addForms(command: Command): void {
  command
    .option('--stat', 'with sizes, and the totals')
    .option('--patch', 'as `git apply` and patch take it, of text and links; others are named on stderr')
    .option('--name-only', 'the paths alone')
    .option('-z, --null', 'with --name-only: as they are, each with a NUL after it instead of a line break')
    .option('--gitignore', 'leave out what .gitignore files of either side name, and .git itself')
    .option('--full', 'read also what has the inode and the time of change that it had')
    .addHelpText(
      'after',
      '\nA: added, D: removed, M: changed, T: another kind of file, P: another mode, owner or attributes.' +
        '\nWhere it is no terminal, names that a line can not hold are in quotes, as git has them.' +
        '\nContents decide, not times; links are not followed. Of one volume and its snapshots, what has the' +
        '\nsame inode and time of change is not read: root in a workspace can set both. --full reads it.' +
        '\nThe exit code is 0 without differences, 1 with, and 2 where something could not be compared.' +
        '\nWith --json each line is an object of a change; the last one, `end`, has the totals.',
    );
}

async function placeOf(
  cli: Cli,
  client: EngineClient,
  text: string,
  path: string | undefined,
): Promise<ComparedPlace> {
  const place = parseRemote(text);
  const whole = path === undefined ? place : { ...place, path: posix.join(place.path, path) };
  return withMounts(await resolvePlace(client, whole, { follow: true, signal: cli.signal }));
}
