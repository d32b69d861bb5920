/** How volumes are shown in words. */
import type { Holder, Volume } from '../api';
import { ownerWords } from '../api/rules/owner';
import { formatBytes, formatMiB } from '../api/rules/sizes';
import { formatFields, formatTable } from './format/table';
import { formatAgo } from './format/time';

/** undefined: not measured. */
export function usedOf({ usedBytes, usedIsAtLeast }: Volume): string | undefined {
  if (usedBytes === undefined) return undefined;
  return usedIsAtLeast === true ? `at least ${formatBytes(usedBytes)}` : formatBytes(usedBytes);
}

/** A table. `now` is in ms since 1970. */
export function formatVolumes(volumes: readonly Volume[], now: number): string {
  if (volumes.length === 0) {
    return 'No volumes yet. Create one: berth volume create NAME';
  }
  return formatTable(
    [
      { title: 'NAME' },
      { title: 'KIND' },
      { title: 'FOR' },
      { title: 'SIZE', right: true },
      { title: 'USED', right: true },
      { title: 'HELD BY' },
      { title: 'CREATED' },
    ],
    volumes.map((volume) => [
      volume.name,
      volume.kind,
      purposeOf(volume),
      volume.sizeMiB === undefined ? '-' : formatMiB(volume.sizeMiB),
      usedOf(volume) ?? '-',
      volume.holders.length === 0 ? '-' : volume.holders.map(formatHolder).join(', '),
      volume.createdAt === undefined ? '-' : formatAgo(volume.createdAt, now),
    ]),
  );
}

/** One volume in lines of name and value. `now` is in ms since 1970. */
export function formatVolume(volume: Volume, now: number): string {
  return formatFields([
    ['name', volume.name],
    ['kind', volume.kind],
    ['path', volume.path],
    ['for', purposeOf(volume)],
    ['managed', managerOf(volume)],
    ['size', volume.sizeMiB === undefined ? undefined : formatMiB(volume.sizeMiB)],
    ['used', usedOf(volume)],
    ['created', volume.createdAt === undefined ? undefined : formatAgo(volume.createdAt, now)],
    ['held by', volume.holders.length === 0 ? 'nobody' : volume.holders.map(formatHolder).join(', ')],
  ]);
}

/** What another installation made is marked: a name says nothing of it. */
function purposeOf({ role, workspace, owner }: Volume): string {
  if (owner !== undefined) {
    return `${role} of another installation (${owner.home ?? owner.installation})`;
  }
  return workspace === undefined ? role : `${role} of ${workspace}`;
}

function managerOf({ managed, owner }: Volume): string {
  if (owner !== undefined) {
    return `by ${ownerWords(owner)}`;
  }
  return managed ? 'by Berth' : 'made by another tool';
}

function formatHolder(holder: Holder): string {
  const notes = [holder.state, ...(holder.readOnly ? ['read-only'] : [])];
  return `${holder.workspace ?? holder.runtime} (${notes.join(', ')})`;
}
