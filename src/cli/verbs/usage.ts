import type { Command } from 'commander';
import type { Cache, Image, Snapshot, Volume, Workspace } from '../../api';
import { mebibyte } from '../../api/rules/sizes';
import type { Cli } from '../cli';
import { formatUsage, sumUsage, type UsageGroup } from '../format/usage';
import { examples } from '../help';

interface UsageOptions {
  measure: boolean;
  all?: boolean;
}

/** `usage`: what takes room, largest first. */
export function registerUsage(program: Command, cli: Cli): void {
  examples(
    program
      .command('usage')
      .description('show what takes room: volumes, snapshots, images, archived workspaces and caches')
      .option('--no-measure', 'take the sizes of volumes that are known, which is quicker')
      .option('--all', 'also volumes of other tools and installations')
      .action((options: UsageOptions) => usage(cli, options)),
    ['berth usage', ''],
    ['berth usage --no-measure --json', ''],
  );
}

async function usage(cli: Cli, { measure, all = false }: UsageOptions): Promise<void> {
  const client = await cli.engine();
  const { signal } = cli;
  const [volumes, snapshots, images, workspaces, caches] = await Promise.all([
    client.call('volumes.list', { query: { usage: measure }, signal }),
    client.call('snapshots.listAll', { signal }),
    client.call('images.list', { signal }),
    client.call('workspaces.list', { signal }),
    client.call('caches.list', { signal }),
  ]);
  const isShown = ({ managed, owner }: Volume): boolean => all || (managed && owner === undefined);
  const groups = [
    group('volumes', volumes.filter(isShown).map(ofVolume)),
    group('snapshots', ofSnapshots(snapshots)),
    group('images', images.map(ofImage)),
    group('archives', workspaces.flatMap(ofArchive)),
    group('caches', caches.map(ofCache)),
  ];
  cli.result(sumUsage(groups), () => formatUsage(groups));
}

/** The largest first; what nobody has measured last. */
function group(id: UsageGroup['id'], items: UsageGroup['items']): UsageGroup {
  return {
    id,
    items: items.sort((a, b) => (b.bytes ?? -1) - (a.bytes ?? -1) || a.name.localeCompare(b.name)),
  };
}

function ofVolume({ name, usedBytes, usedIsAtLeast, usedAt, sizeMiB, workspace }: Volume) {
  return {
    name,
    ...(usedBytes !== undefined && { bytes: usedBytes }),
    ...(usedIsAtLeast === true && { isAtLeast: true }),
    ...(usedAt !== undefined && { measuredAt: usedAt }),
    ...(sizeMiB !== undefined && { limitBytes: sizeMiB * mebibyte }),
    ...(workspace !== undefined && { usedBy: [workspace] }),
  };
}

function ofSnapshots(snapshots: readonly Snapshot[]): UsageGroup['items'] {
  return [...new Set(snapshots.map(({ volume }) => volume))].map((name) => {
    const own = snapshots.filter(({ volume }) => volume === name);
    const known = own.flatMap(({ heldBytes }) => heldBytes ?? []);
    return {
      name,
      count: own.length,
      ...(known.length > 0 && { bytes: known.reduce((sum, bytes) => sum + bytes, 0) }),
      ...(known.length < own.length && { isAtLeast: true }),
    };
  });
}

const ofImage = ({ tags, id, sizeBytes, usedBy }: Image): UsageGroup['items'][number] => ({
  name: tags[0] ?? id.replace(/^sha256:/, '').slice(0, 12),
  bytes: sizeBytes,
  usedBy,
});

const ofArchive = ({ name, state, ownFiles }: Workspace): UsageGroup['items'] =>
  state === 'archived' && ownFiles !== undefined
    ? [{ name, bytes: ownFiles.bytes, measuredAt: ownFiles.measuredAt }]
    : [];

const ofCache = ({ id, bytes, freeableBytes }: Cache): UsageGroup['items'][number] => ({
  ...{ name: id, bytes, freeableBytes },
});
