/** How snapshots are shown in words. */
import type { Snapshot } from '../api';
import { formatBytes, formatMiB } from '../api/rules/sizes';
import { formatFields, formatTable } from './format/table';
import { formatAgo } from './format/time';

const reasons: Readonly<Record<Snapshot['reason'], string>> = {
  manual: 'asked for',
  'before-restore': 'before a restore',
  fork: 'for forks',
};

/** A table, in the order given. `now` is in ms since 1970. */
export function formatSnapshots(snapshots: readonly Snapshot[], volume: string, now: number): string {
  if (snapshots.length === 0) {
    return `${volume} has no snapshots yet. Make one: berth snapshot create ${volume}`;
  }
  return tableOf(snapshots, now, false);
}

/** Those of all volumes, in the order given. `now` is in ms since 1970. */
export function formatAllSnapshots(snapshots: readonly Snapshot[], now: number): string {
  return snapshots.length === 0
    ? 'There are no snapshots yet. Make one: berth snapshot create NAME'
    : tableOf(snapshots, now, true);
}

function tableOf(snapshots: readonly Snapshot[], now: number, ofAll: boolean): string {
  return formatTable(
    [
      { title: 'ID' },
      ...(ofAll ? [{ title: 'VOLUME' }] : []),
      ...[{ title: 'NAME' }, { title: 'MADE' }, { title: 'WHY' }],
      ...[
        { title: 'FILES', right: true },
        { title: 'TAKES', right: true },
      ],
    ],
    snapshots.map((snapshot) => [
      snapshot.id,
      ...(ofAll ? [snapshot.volume] : []),
      ...[snapshot.name ?? '-', formatAgo(snapshot.createdAt, now), reasons[snapshot.reason]],
      ...[formatBytes(snapshot.usedBytes), heldOf(snapshot)],
    ]),
  );
}

/** One snapshot in lines of name and value. `now` is in ms since 1970. */
export function formatSnapshot(snapshot: Snapshot, now: number): string {
  const { id, name, description, volume, kind, sizeMiB, usedBytes, heldMs, notes, createdAt, reason } =
    snapshot;
  return formatFields([
    ['id', id],
    ['name', name],
    ['description', description],
    ['of', volume],
    ['kind', kind],
    ['made', `${formatAgo(createdAt, now)}, ${reasons[reason]}`],
    ['size', sizeMiB === undefined ? undefined : formatMiB(sizeMiB)],
    ['files', formatBytes(usedBytes)],
    ['takes', heldOf(snapshot)],
    ['held up', `${heldMs} ms`],
    ['browse', `berth ls snapshot:${id}`],
    ['not kept', notes?.join('; ')],
  ]);
}

function heldOf({ heldBytes, isShared }: Snapshot): string {
  if (heldBytes === undefined) {
    return 'unknown';
  }
  return isShared ? `at most ${formatBytes(heldBytes)}` : formatBytes(heldBytes);
}
