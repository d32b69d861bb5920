/** What takes room, in words. */
import { formatBytes } from '../../api/rules/sizes';
import { formatTable } from './table';
import { formatAgo } from './time';

export interface UsageItem {
  name: string;
  /** Absent where nobody has measured it. */
  bytes?: number;
  /** Some of it could not be read: there is more. */
  isAtLeast?: boolean;
  measuredAt?: string;
  /** What it may grow to. */
  limitBytes?: number;
  /** How many there are of it. */
  count?: number;
  /** What a clean-up frees. */
  freeableBytes?: number;
  usedBy?: string[];
}

export interface UsageGroup {
  id: 'volumes' | 'snapshots' | 'images' | 'archives' | 'caches';
  items: UsageItem[];
}

const titles: Readonly<Record<UsageGroup['id'], string>> = {
  volumes: 'VOLUMES',
  snapshots: 'SNAPSHOTS, BY VOLUME',
  images: 'IMAGES, WHICH MAY SHARE LAYERS',
  archives: 'ARCHIVED WORKSPACES, OUTSIDE OF VOLUMES',
  caches: 'CACHES',
};
const barWidth = 20;
const blocks = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

const bytesOf = (items: readonly UsageItem[]): number => items.reduce((sum, { bytes = 0 }) => sum + bytes, 0);

/** For programs: each group with its sum, and the sum of all. Images may share layers: theirs is an upper bound. */
export function sumUsage(groups: readonly UsageGroup[]): {
  bytes: number;
  groups: (UsageGroup & { bytes: number })[];
} {
  const summed = groups.map((group) => ({ ...group, bytes: bytesOf(group.items) }));
  return { bytes: summed.reduce((sum, { bytes }) => sum + bytes, 0), groups: summed };
}

/** A table for each group that has anything, with a bar as a share of the largest of all. `now` is in ms since 1970. */
export function formatUsage(groups: readonly UsageGroup[], now = Date.now()): string {
  const full = groups.filter(({ items }) => items.length > 0);
  const largest = Math.max(1, ...full.flatMap(({ items }) => items.map(({ bytes = 0 }) => bytes)));
  const tables = full.map(({ id, items }) =>
    formatTable(
      [
        { title: titles[id] },
        { title: formatBytes(bytesOf(items)), right: true },
        { title: '' },
        { title: '' },
      ],
      items.map((item) => [
        item.name,
        sizeWords(item),
        barOf((item.bytes ?? 0) / largest),
        detailOf(item, now),
      ]),
    ),
  );
  return tables.length === 0 ? 'Nothing takes room yet.' : tables.join('\n\n');
}

const sizeWords = ({ bytes, isAtLeast }: UsageItem): string =>
  bytes === undefined ? 'not measured' : `${isAtLeast === true ? '≥ ' : ''}${formatBytes(bytes)}`;

/** In eighths of a character. */
function barOf(share: number): string {
  const eighths = Math.max(share > 0 ? 1 : 0, Math.round(Math.min(1, share) * barWidth * blocks.length));
  return '█'.repeat(Math.floor(eighths / blocks.length)) + (blocks[eighths % blocks.length] ?? '');
}

function detailOf(item: UsageItem, now: number): string {
  const { limitBytes, count, freeableBytes, usedBy = [], measuredAt } = item;
  const isOld = measuredAt !== undefined && now - Date.parse(measuredAt) > 60_000;
  return [
    ...(limitBytes === undefined ? [] : [`of ${formatBytes(limitBytes)}`]),
    ...(count === undefined ? [] : [count === 1 ? '1 snapshot' : `${count} snapshots`]),
    ...(freeableBytes === undefined || freeableBytes === 0
      ? []
      : [`${formatBytes(freeableBytes)} not in use: berth cache clean`]),
    ...(usedBy.length === 0 ? [] : [`used by ${usedBy.join(', ')}`]),
    ...(isOld ? [`measured ${formatAgo(measuredAt, now)}`] : []),
  ].join(', ');
}
