/** How snapshots are shown in words. */
import type { Snapshot, VerifyResult } from '../api';
import { defaultKeep } from '../api/snapshots/default-keep';
import type { AutomaticSnapshots, KeepPolicy } from '../api/snapshots/schemas';
import { formatInterval } from '../api/rules/duration';
import { formatBytes, formatMiB } from '../api/rules/sizes';
import { formatFields, formatTable } from './format/table';
import { shellName } from './format/text';
import { formatAgo, formatDate } from './format/time';

const reasons: Readonly<Record<Snapshot['reason'], string>> = {
  manual: 'asked for',
  'before-restore': 'before a restore',
  schedule: 'by schedule',
  stop: 'at a stop',
  fork: 'for forks',
  trash: 'in the trash',
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
  const withChecks = snapshots.some(({ verifiedAt }) => verifiedAt !== undefined);
  return formatTable(
    [
      { title: 'ID' },
      ...(ofAll ? [{ title: 'VOLUME' }] : []),
      ...[{ title: 'NAME' }, { title: 'MADE' }, { title: 'WHY' }],
      ...[
        { title: 'FILES', right: true },
        { title: 'TAKES', right: true },
      ],
      ...(withChecks ? [{ title: 'VERIFIED' }] : []),
    ],
    snapshots.map((snapshot) => [
      snapshot.id,
      ...(ofAll ? [snapshot.volume] : []),
      ...[snapshot.name ?? '-', formatAgo(snapshot.createdAt, now), reasons[snapshot.reason]],
      ...[formatBytes(snapshot.usedBytes), heldOf(snapshot)],
      ...(withChecks ? [verifiedOf(snapshot, now) ?? '-'] : []),
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
    ['protected', snapshot.protected === true ? 'from delete and prune' : undefined],
    ['held up', `${heldMs} ms`],
    ['browse', `berth ls snapshot:${id}`],
    ['not kept', notes?.join('; ')],
    ['verified', verifiedOf(snapshot, now)],
  ]);
}

/** What a check has found, with the paths that are damaged. `before`: what was known of the snapshot until then. */
export function formatCheck(
  title: string,
  result: VerifyResult,
  before: Pick<Snapshot, 'verifiedAt'> = {},
): string {
  const { checked, read, damaged, problems } = result;
  const looked = `${checked} checked, ${read} read`;
  if (damaged === 0) {
    return `${title} ${soundness(result, before)}: ${looked}.`;
  }
  const more = damaged - problems.length;
  return [
    ...problems.map(({ path, what }) => `${shellName(path)} ${what}`),
    ...(more > 0 ? [`and ${more} more`] : []),
    `${title} is damaged: ${damaged} of ${looked}. Restore nothing from it that is named here.`,
  ].join('\n');
}

function soundness({ read, since }: VerifyResult, { verifiedAt }: Pick<Snapshot, 'verifiedAt'>): string {
  const at = (time: string): string => formatDate(Date.parse(time));
  if (read === 0) {
    return `has not changed since it was read${verifiedAt === undefined ? '' : ` at ${at(verifiedAt)}`}`;
  }
  return since === undefined
    ? 'is as it was when it was made'
    : `has no errors in its file system, and is what it was at ${at(since)} (nothing was noted when it was made)`;
}

/** When, and what came of it; undefined where it never was. */
export function verifiedOf({ verifiedAt, damaged }: Snapshot, now: number): string | undefined {
  if (verifiedAt === undefined) {
    return undefined;
  }
  return formatAgo(verifiedAt, now) + (damaged === undefined ? '' : `: ${damaged} DAMAGED`);
}

function heldOf({ heldBytes, isShared }: Snapshot): string {
  if (heldBytes === undefined) {
    return 'unknown';
  }
  return isShared ? `at most ${formatBytes(heldBytes)}` : formatBytes(heldBytes);
}

/** When a workspace makes snapshots by itself: `every 1 h, at each stop`; undefined for never. */
export function automaticWords({ every = 0, atStop = false }: AutomaticSnapshots): string | undefined {
  const parts = [
    ...(every > 0 ? [`every ${formatInterval(every * 60_000)}`] : []),
    ...(atStop ? ['at each stop'] : []),
  ];
  return parts.length === 0 ? undefined : parts.join(', ');
}

const keepTitles: Readonly<Record<Exclude<keyof KeepPolicy, 'keepWithinHours'>, string>> = {
  keepLast: 'newest',
  keepHourly: 'hourly',
  keepDaily: 'daily',
  keepWeekly: 'weekly',
  keepMonthly: 'monthly',
  keepYearly: 'yearly',
};

/** Which of these stay, in words: `24 hourly, 7 daily, 4 weekly`. */
export function keepWords({ keepWithinHours, ...counts }: KeepPolicy = defaultKeep): string {
  return [
    ...Object.entries(keepTitles).flatMap(([rule, title]) => {
      const count = counts[rule as keyof typeof counts];
      return count === undefined ? [] : [`${count} ${title}`];
    }),
    ...(keepWithinHours === undefined
      ? []
      : [`all of the last ${formatInterval(keepWithinHours * 3_600_000)}`]),
  ].join(', ');
}
