import type { Command } from 'commander';
import { BerthError, type FileEntry } from '../../api';
import type { EngineClient } from '../../client/engine-client';
import type { Cli } from '../cli';
import { formatMode } from '../format/mode';
import { formatBytes } from '../../api/rules/sizes';
import { formatTable } from '../format/table';
import { shellName } from '../format/text';
import { isTerminal } from '../terminal/streams';
import { formatDate } from '../format/time';
import { examples } from '../help';
import { parseRemote } from '../parse/place';
import { isFolder, missingHint, resolvePlace, statOf, type VolumePath } from '../remote';
import type { Style } from '../terminal/style';

interface ListOptions {
  long?: boolean;
  all?: boolean;
}

const pageSize = 10_000;
/** More than any folder that people list: what answers from inside of a workspace may go on without end. */
const maxPages = 2_000;

/** `berth ls`. */
export function registerLs(program: Command, cli: Cli): void {
  examples(
    program
      .command('ls')
      .description('list files of a workspace, from its home on, or of a volume')
      .argument('<where>', 'NAME, NAME:path, volume:NAME:/path, or snapshot:NAME/SNAPSHOT:/path')
      .option('-l, --long', 'modes, sizes and times')
      .option('-a, --all', 'also names that start with a dot')
      .action((where: string, options: ListOptions) => cli.paths.during(list(cli, where, options))),
    ['berth ls demo', 'the home of a workspace, running or not'],
    ['berth ls -la volume:cache:/pip', ''],
  );
}

async function list(cli: Cli, where: string, options: ListOptions): Promise<void> {
  const client = await cli.engine();
  const at = await resolvePlace(client, parseRemote(where), { follow: true, signal: cli.signal });
  cli.paths.add(at.path, where.includes(':') ? where : `${where}:`);
  const found = await statOf(client, at);
  if (found === undefined) {
    const hint = await missingHint(client, at);
    throw new BerthError('path_not_found', `There is nothing at "${where}".`, hint);
  }
  const entries = !isFolder(found) ? [found] : await listFolder(client, at, cli.signal);
  const shown = entries.filter(
    (entry) => options.all === true || cli.json || entry === found || !entry.name.startsWith('.'),
  );
  // As GNU ls: a program that reads gets the names themselves.
  const shownName = isTerminal(cli.streams.stdout) ? shellName : (name: string) => name;
  const look = { style: cli.style, shownName };
  cli.result(shown, () => (options.long === true ? formatLong(shown, look) : formatShort(shown, look)));
}

/** All entries of a folder, however many pages. Throws `too_large` beyond what can be shown. */
export async function listFolder(
  client: Pick<EngineClient, 'call'>,
  at: Pick<VolumePath, 'volume' | 'path'>,
  signal: AbortSignal,
): Promise<FileEntry[]> {
  const entries: FileEntry[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < maxPages; pages++) {
    const page = await client.call('files.list', {
      params: { volume: at.volume },
      query: { path: at.path, limit: pageSize, ...(cursor !== undefined && { cursor }) },
      signal,
    });
    entries.push(...page.entries);
    cursor = page.next;
    if (cursor === undefined) {
      return entries;
    }
  }
  throw new BerthError('too_large', `${shellName(at.path)} lists more than ${maxPages} pages of names.`, {
    hint: 'List a folder in it. If there are not so many, look what runs as root in this workspace.',
  });
}

interface Look {
  style: Style;
  shownName: (name: string) => string;
}

/** A name in each line. */
export function formatShort(entries: readonly FileEntry[], look: Look): string {
  return entries.map((entry) => formatName(entry, look)).join('\n');
}

/** Like `ls -l`: mode, owner, size, time, name, and where a link leads. */
export function formatLong(entries: readonly FileEntry[], look: Look): string {
  if (entries.length === 0) {
    return '';
  }
  return formatTable(
    [
      { title: 'MODE' },
      { title: 'OWNER' },
      { title: 'SIZE', right: true },
      { title: 'CHANGED' },
      { title: 'NAME', styled: true },
    ],
    entries.map((entry) => [
      formatMode(entry.type, entry.mode),
      `${entry.uid}:${entry.gid}`,
      entry.type === 'directory' ? '-' : formatBytes(entry.size),
      formatDate(entry.mtimeMs),
      formatName(entry, look) +
        (entry.linkTarget === undefined ? '' : ` -> ${look.shownName(entry.linkTarget)}`),
    ]),
  );
}

function formatName(entry: FileEntry, { style, shownName }: Look): string {
  const name = shownName(entry.name);
  return entry.type === 'directory' ? `${style.blue(name)}/` : name;
}
