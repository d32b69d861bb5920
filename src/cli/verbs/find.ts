import type { Command } from 'commander';
import { BerthError, type FindEnd, type FindQuery, type FoundLine } from '../../api';
import { joinGlobs } from '../../api/rules/globs';
import { find } from '../../client/find';
import type { Cli } from '../cli';
import { exitCodes } from '../failure';
import { printable, shellName } from '../format/text';
import { examples } from '../help';
import { collect, parseWhole } from '../parse/options';
import { parseRemote } from '../parse/place';
import { resolvePlace, withMounts } from '../remote';
import { isTerminal } from '../terminal/streams';

interface FindOptions {
  text?: string;
  regex?: boolean;
  case?: boolean;
  word?: boolean;
  include?: string[];
  exclude?: string[];
  limit?: number;
}

/** As many as the engine reports at most: there are pipes for less. */
const maxFound = 50_000;

/** `berth find`. */
export function registerFind(program: Command, cli: Cli): void {
  const command = program
    .command('find')
    .description('find files, or text in files, of workspaces and volumes; running or not')
    .argument('<where>', 'NAME, NAME:path, volume:NAME:/path, or snapshot:NAME/SNAPSHOT:/path')
    .option('--text <pattern>', 'the lines of files that contain it, in any case')
    .option('--regex', 'the text is a regular expression, as in JavaScript')
    .option('--case', 'upper and lower case of the text are different')
    .option('--word', 'whole words only')
    .option('--include <glob>', 'only such files (repeatable)', collect)
    .option('--exclude <glob>', 'neither such files nor what is in such folders (repeatable)', collect)
    .option('--limit <n>', 'end after so many files or lines', parseWhole, maxFound)
    .action((where: string, options: FindOptions) => cli.paths.during(findIn(cli, where, options)));
  examples(
    command,
    ['berth find demo --text TODO --exclude node_modules', 'prints path:line:text'],
    ["berth find demo:src --include '*.py'", 'files by their names'],
    ["berth find volume:cache:/ --text 'v[0-9]+' --regex --word", ''],
  );
  command.addHelpText(
    'after',
    '\nA glob without a slash counts at any depth. Links are not followed. Of a whole system /proc, /sys and /dev' +
      '\nare left out. What was skipped is said on stderr.' +
      '\nThe exit code is 1 where nothing is found, as of grep, and where something could not be read.' +
      '\nWith --json each line is an object of what was found; the last one, `end`, has the counts.',
  );
}

async function findIn(cli: Cli, where: string, options: FindOptions): Promise<void> {
  const query = queryOf(options);
  const client = await cli.engine();
  const at = withMounts(await resolvePlace(client, parseRemote(where), { follow: true, signal: cli.signal }));
  cli.paths.add(at.path, where.includes(':') ? where : `${where}:`);
  const { volume } = at;
  const onTerminal = isTerminal(cli.streams.stdout);
  const end = await find(
    client,
    volume,
    { ...query, path: at.path },
    {
      files: (paths) => {
        paths.forEach((path) => {
          show(cli, { volume, path }, formatFound(cli.paths.typed(path), undefined, onTerminal));
        });
      },
      lines: (lines) => {
        lines.forEach((line) => {
          show(cli, { volume, ...line }, formatFound(cli.paths.typed(line.path), line, onTerminal));
        });
      },
    },
    cli.signal,
  );
  if (cli.json) {
    cli.print(JSON.stringify({ end }));
  }
  const remarks = remarksOf(end, options);
  if (remarks.length > 0) {
    cli.note(remarks.join('\n'));
  }
  // What could not be read may have had it.
  if (end.found === 0 || end.unread > 0) {
    cli.exitCode = exitCodes.failure;
  }
}

/** Throws `bad_request` for what says how to look, where no text is looked for. */
function queryOf({
  text,
  regex,
  case: caseSensitive,
  word,
  include,
  exclude,
  limit,
}: FindOptions): FindQuery {
  const ways = { ...(regex && { regex }), ...(caseSensitive && { caseSensitive }), ...(word && { word }) };
  if (text === undefined && Object.keys(ways).length > 0) {
    throw new BerthError('bad_request', '--regex, --case and --word are about the text of --text.', {
      hint: 'Add --text PATTERN, or find files by --include GLOB.',
    });
  }
  return {
    ...ways,
    ...(text !== undefined && { text }),
    ...(include !== undefined && { include: joinGlobs(include) }),
    ...(exclude !== undefined && { exclude: joinGlobs(exclude) }),
    ...(limit !== undefined && { limit }),
  };
}

function show(cli: Cli, found: object, text: string): void {
  cli.print(cli.json ? JSON.stringify(found) : text);
}

/** As grep; on a terminal names as a shell reads them and text without what drives it, for programs themselves. */
export function formatFound(
  name: string,
  found: Pick<FoundLine, 'line' | 'text'> | undefined,
  onTerminal: boolean,
): string {
  const shownName = onTerminal ? shellName(name) : name;
  if (found === undefined) {
    return shownName;
  }
  const text = onTerminal ? found.text.split('\t').map(printable).join('\t') : found.text;
  return `${shownName}:${found.line}:${text}`;
}

/** What is not among what was found. */
export function remarksOf(
  { found, hasMore, binary, tooLarge, unread }: FindEnd,
  { text }: FindOptions,
): string[] {
  const skipped = [
    binary > 0 ? counted(binary, 'binary file') : '',
    tooLarge > 0 ? `${counted(tooLarge, 'file')} of more than 16 MiB` : '',
  ].filter((part) => part !== '');
  return [
    hasMore
      ? `There are more than ${found === 1 ? 'this' : 'these'} ${counted(found, text === undefined ? 'file' : 'line')}.`
      : '',
    skipped.length > 0 ? `Skipped: ${skipped.join(', ')}.` : '',
    unread > 0 ? `Could not be read: ${counted(unread, 'file or folder', 'files and folders')}.` : '',
  ].filter((remark) => remark !== '');
}

function counted(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}
