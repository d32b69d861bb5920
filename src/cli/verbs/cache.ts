import type { Command } from 'commander';
import type { Cache, CacheId } from '../../api';
import { formatBytes } from '../../api/rules/sizes';
import type { Cli } from '../cli';
import { formatTable } from '../format/table';
import { examples } from '../help';

const words: Readonly<Record<CacheId, string>> = {
  'guest-kits': 'kernels of microVMs',
  templates: 'booted microVMs to start from',
  'root-images': 'images made into disks of microVMs',
};
/** An engine of another version may keep more. */
const wordsOf = (id: string): string => (words as Partial<Record<string, string>>)[id] ?? id;

/** `cache list|clean`. */
export function registerCache(program: Command, cli: Cli): void {
  const cache = program
    .command('cache')
    .description('what Berth keeps to be quicker the next time: list it, remove what is not in use');
  examples(
    cache
      .command('list')
      .description('list caches with their sizes')
      .action(() => list(cli)),
    ['berth cache list', ''],
  );
  examples(
    cache
      .command('clean')
      .description('remove what is in caches and not in use, after a question; it is made again when needed')
      .option('-y, --yes', 'do not ask; required without a terminal')
      .action((options: { yes?: boolean }) => clean(cli, options)),
    ['berth cache clean', 'volumes, workspaces and images stay'],
  );
}

async function list(cli: Cli): Promise<void> {
  const client = await cli.engine();
  const caches = await client.call('caches.list', { signal: cli.signal });
  cli.result(caches, () => formatCaches(caches));
}

async function clean(cli: Cli, { yes }: { yes?: boolean }): Promise<void> {
  const client = await cli.engine();
  const caches = await client.call('caches.list', { signal: cli.signal });
  const full = caches.filter(({ freeableBytes }) => freeableBytes > 0);
  if (full.length === 0) {
    cli.result(
      { freedBytes: 0 },
      () => 'There is nothing to remove: what is kept is in use, or needed for the next start.',
    );
    return;
  }
  const what = full.map(({ id, freeableBytes }) => `${wordsOf(id)} (${formatBytes(freeableBytes)})`);
  await cli.consent(
    yes,
    `This removes ${what.join(', ')}. They are made again when they are needed.`,
    'Remove them?',
  );
  const answer = await client.call('caches.clean', { body: { caches: full.map(({ id }) => id) } });
  cli.result(answer, () => `${formatBytes(answer.freedBytes)} are free again.`);
}

/** A line for each, with what a clean-up frees. */
export function formatCaches(caches: readonly Cache[]): string {
  return formatTable(
    [
      ...[{ title: 'cache' }, { title: 'holds' }, { title: 'count', right: true }],
      ...[{ title: 'size', right: true }, { title: 'not in use', right: true }, { title: 'folder' }],
    ],
    caches.map(({ id, count, bytes, freeableBytes, path }) => [
      ...[id, wordsOf(id), String(count), formatBytes(bytes), formatBytes(freeableBytes), path],
    ]),
  );
}
