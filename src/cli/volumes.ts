/** How volumes are shown in words. */
import type { Holder, Volume } from '../api';
import { formatBytes, formatMiB } from './format/size';
import { formatFields, formatTable } from './format/table';
import { formatAgo } from './format/time';

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
      volume.workspace === undefined ? volume.role : `${volume.role} of ${volume.workspace}`,
      volume.sizeMiB === undefined ? '-' : formatMiB(volume.sizeMiB),
      volume.usedBytes === undefined ? '-' : formatBytes(volume.usedBytes),
      volume.holders.length === 0 ? '-' : volume.holders.map(formatHolder).join(', '),
      volume.createdAt === undefined ? '-' : formatAgo(volume.createdAt, now),
    ]),
  );
}

export function formatVolume(volume: Volume, now: number): string {
  return formatFields([
    ['name', volume.name],
    ['kind', volume.kind],
    ['path', volume.path],
    ['for', volume.workspace === undefined ? volume.role : `${volume.role} of ${volume.workspace}`],
    ['managed', volume.managed ? 'by Berth' : 'made by another tool'],
    ['size', volume.sizeMiB === undefined ? undefined : formatMiB(volume.sizeMiB)],
    ['used', volume.usedBytes === undefined ? undefined : formatBytes(volume.usedBytes)],
    ['created', volume.createdAt === undefined ? undefined : formatAgo(volume.createdAt, now)],
    ['held by', volume.holders.length === 0 ? 'nobody' : volume.holders.map(formatHolder).join(', ')],
  ]);
}

function formatHolder(holder: Holder): string {
  const notes = [holder.state, ...(holder.readOnly ? ['read-only'] : [])];
  return `${holder.workspace ?? holder.runtime} (${notes.join(', ')})`;
}
