/** How volumes are shown in words. */
import type { Holder, Volume } from '../api';
import { machineWords, placeWords } from '../api/rules/runtimes';
import { ownerWords } from '../api/rules/owner';
import { formatBytes, formatMiB } from '../api/rules/sizes';
import { formatFields, formatTable } from './format/table';
import { formatAgo } from './format/time';

/** undefined: not measured. */
export function usedOf({ usedBytes, usedIsAtLeast }: Volume): string | undefined {
  if (usedBytes === undefined) return undefined;
  return usedIsAtLeast === true ? `at least ${formatBytes(usedBytes)}` : formatBytes(usedBytes);
}

/** A table. `now` is in ms since 1970; `target` the machine that was asked for. */
export function formatVolumes(volumes: readonly Volume[], now: number, target?: string): string {
  if (volumes.length === 0) {
    return target === undefined
      ? 'No volumes yet. Create one: berth volume create NAME'
      : `No volumes on ${machineWords(target)}.`;
  }
  return formatTable(
    [
      { title: 'NAME' },
      { title: 'KIND' },
      { title: 'FOR' },
      { title: 'SIZE', right: true },
      { title: 'USED', right: true },
      { title: 'USED BY' },
      { title: 'CREATED' },
    ],
    volumes.map((volume) => [
      volume.name,
      kindOf(volume),
      purposeOf(volume) + (volume.protected === true ? ', protected' : ''),
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
    ['kind', kindOf(volume)],
    ['path', volume.path],
    ['for', purposeOf(volume)],
    ['managed', managerOf(volume)],
    ['size', volume.sizeMiB === undefined ? undefined : formatMiB(volume.sizeMiB)],
    ['used', usedOf(volume)],
    ['protected', volume.protected === true ? 'from delete' : undefined],
    ['created', volume.createdAt === undefined ? undefined : formatAgo(volume.createdAt, now)],
    ['used by', volume.holders.length === 0 ? 'nobody' : volume.holders.map(formatHolder).join(', ')],
  ]);
}

/** With the machine where that is another one. */
function kindOf({ kind, target }: Volume): string {
  return [kind, placeWords(target)].filter(Boolean).join(' ');
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
