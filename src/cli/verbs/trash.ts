import type { Command } from 'commander';
import { BerthError } from '../../api';
import { resultOf } from '../../api/rules/results';
import { formatBytes } from '../../api/rules/sizes';
import type { TrashItem } from '../../api/trash/schemas';
import type { EngineClient } from '../../client/engine-client';
import type { Cli } from '../cli';
import { formatTable } from '../format/table';
import { formatAgo, formatDate } from '../format/time';
import { examples } from '../help';
import { follow } from '../operation';
import { parseHours } from '../parse/options';

interface EmptyOptions {
  olderThan?: number;
  yes?: boolean;
}

const which = 'its id, or its name where no other item has it';

/** `trash list|restore|empty`. */
export function registerTrash(program: Command, cli: Cli): void {
  const trash = program
    .command('trash')
    .description('workspaces and volumes that were deleted: list them, have them back, remove them for good');
  examples(
    trash
      .command('list')
      .description('list what was deleted and can be had back, newest first')
      .action(() => list(cli)),
    ['berth trash list', ''],
  );
  examples(
    trash
      .command('restore')
      .description('have a workspace or a volume back as it was when it was deleted; it is not started')
      .argument('<item>', which)
      .option('--name <name>', 'under another name')
      .action((item: string, options: { name?: string }) => restore(cli, item, options.name)),
    ['berth trash restore demo', ''],
    ['berth trash restore demo --name demo-2', 'where there is another one of its name by now'],
  );
  examples(
    trash
      .command('empty')
      .description('remove for good what is in the trash, or some of it, after a question')
      .argument('[item...]', which)
      .option('--older-than <time>', 'only what was deleted longer ago: 12h, 3d', parseHours)
      .option('-y, --yes', 'do not ask; required without a terminal')
      .action((items: string[], options: EmptyOptions) => empty(cli, items, options)),
    ['berth trash empty --older-than 3d', ''],
  );
}

async function list(cli: Cli): Promise<void> {
  const client = await cli.engine();
  const items = await itemsOf(client, cli.signal);
  cli.result(items, () => formatTrash(items, Date.now()));
}

async function restore(cli: Cli, given: string, name: string | undefined): Promise<void> {
  const client = await cli.engine();
  const { id } = itemIn(await itemsOf(client, cli.signal), given);
  const body = name === undefined ? {} : { name };
  const begun = await client.call('trash.restore', { params: { item: id }, body });
  const result = resultOf(await follow(cli, client, begun), 'trash.restore');
  const next = result.kind === 'workspace' ? ` Start it: berth start ${result.restored}` : '';
  cli.result(result, () => `The ${result.kind} ${result.restored} is back.${next}`);
}

async function empty(cli: Cli, given: readonly string[], options: EmptyOptions): Promise<void> {
  const client = await cli.engine();
  const all = await itemsOf(client, cli.signal);
  const named = given.length === 0 ? all : given.map((each) => itemIn(all, each));
  const before = Date.now() - (options.olderThan ?? 0) * 3_600_000;
  const going = named.filter(({ deletedAt }) => Date.parse(deletedAt) <= before);
  if (going.length === 0) {
    cli.result({ removed: [], failed: [] }, () => 'There is nothing to remove.');
    return;
  }
  const question = `Remove ${going.length === 1 ? 'this' : `these ${going.length}`} for good (${formatBytes(sumOf(going))})?`;
  await cli.consent(options.yes, formatTrash(going, Date.now()), question);
  const body = { items: going.map(({ id }) => id) };
  const result = resultOf(
    await follow(cli, client, await client.call('trash.empty', { body })),
    'trash.empty',
  );
  cli.exitCode = result.failed.length > 0 ? 1 : cli.exitCode;
  const removed = going.filter(({ id }) => result.removed.includes(id));
  cli.result(result, () => `Removed for good: ${removed.map(({ name }) => name).join(', ') || 'nothing'}.`);
}

/** A line for each, in the order given. `now` is in ms since 1970. */
export function formatTrash(items: readonly TrashItem[], now: number): string {
  if (items.length === 0) {
    return 'The trash is empty.';
  }
  return formatTable(
    [
      ...[{ title: 'ID' }, { title: 'WHAT' }, { title: 'NAME' }, { title: 'DELETED' }],
      ...[{ title: 'KEPT UNTIL' }, { title: 'FILES', right: true }],
    ],
    items.map(({ id, kind, name, deletedAt, expiresAt, usedBytes }) => [
      ...[id, kind, name, formatAgo(deletedAt, now)],
      ...[expiresAt === undefined ? 'emptied' : formatDate(Date.parse(expiresAt)), formatBytes(usedBytes)],
    ]),
  );
}

/** How long what was deleted just now can be had back, in words; undefined where it can't. */
export async function keptWords(client: EngineClient, id: string | undefined): Promise<string | undefined> {
  if (id === undefined) {
    return undefined;
  }
  const item = (await client.call('trash.list', {})).find((each) => each.id === id);
  if (item === undefined) {
    return undefined;
  }
  const until = item.expiresAt === undefined ? '' : ` until ${formatDate(Date.parse(item.expiresAt))}`;
  const lost = (item.notKept ?? []).map((each) => `\n  Not kept: ${each}`).join('');
  return `Kept in the trash${until} (${formatBytes(item.usedBytes)}): berth trash restore ${id}${lost}`;
}

function itemsOf(client: EngineClient, signal: AbortSignal): Promise<TrashItem[]> {
  return client.call('trash.list', { signal });
}

/** Throws `not_found`, and `bad_request` where several have the name. */
function itemIn(items: readonly TrashItem[], given: string): TrashItem {
  const byName = items.filter(({ name }) => name === given);
  const found = items.find(({ id }) => id === given) ?? (byName.length === 1 ? byName[0] : undefined);
  if (found !== undefined) {
    return found;
  }
  if (byName.length > 1) {
    const ids = byName.map(({ id, kind }) => `${id} (${kind})`).join(', ');
    throw new BerthError('bad_request', `Several items of the trash are called ${given}: ${ids}.`, {
      ...{ field: 'item', hint: 'Give an id: `berth trash list` says which is which.' },
    });
  }
  throw new BerthError('not_found', `There is no ${given} in the trash.`, {
    ...{ field: 'item', hint: '`berth trash list` shows what there is.' },
  });
}

const sumOf = (items: readonly TrashItem[]): number =>
  items.reduce((sum, { usedBytes }) => sum + usedBytes, 0);
