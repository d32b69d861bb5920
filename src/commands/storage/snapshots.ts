/** Snapshots: their section on the page of storage, by volume, and what can be done with those of one. */
import * as vscode from 'vscode';
import type { Snapshot } from '../../api';
import { formatBytes } from '../../ui/sizes';
import type { CommandId } from '../../ui/contributions/commands';
import { pickOne } from '../../ui/pick';
import { time } from '../../ui/words';

const { t } = vscode.l10n;

/** As the page shows it: one bar for the snapshots of each volume. */
interface SnapshotsSection {
  id: 'snapshots';
  title: string;
  summary: string;
  bars: { id: string; title: string; detail: string; amount: string; share: number }[];
}

/** Bytes that snapshots take where they lie. */
export const snapshotBytes = (snapshots: readonly Snapshot[]): number =>
  snapshots.reduce((sum, { heldBytes }) => sum + (heldBytes ?? 0), 0);

/** Those of one volume after the other, which are newest first. */
export function byVolume(snapshots: readonly Snapshot[]): Snapshot[][] {
  const names = [...new Set(snapshots.map(({ volume }) => volume))];
  return names.map((name) => snapshots.filter(({ volume }) => volume === name));
}

/** The largest first; undefined where there are none. */
export function snapshotsSection(
  snapshots: readonly Snapshot[],
  titleOf: (volume: string) => string,
  largest: number,
): SnapshotsSection | undefined {
  if (snapshots.length === 0) {
    return undefined;
  }
  const ofVolumes = byVolume(snapshots).sort((a, b) => snapshotBytes(b) - snapshotBytes(a));
  return {
    id: 'snapshots',
    title: t('Snapshots'),
    summary: [countWords(snapshots), formatBytes(snapshotBytes(snapshots))].join(' · '),
    bars: ofVolumes.map((ofVolume) => ({
      id: ofVolume[0]?.volume ?? '',
      title: titleOf(ofVolume[0]?.volume ?? ''),
      detail: [
        countWords(ofVolume),
        t('the last one of {0}', time(ofVolume[0]?.createdAt ?? '')),
        ...(ofVolume.some(({ isShared }) => isShared) ? [t('unchanged blocks count in each')] : []),
      ].join(' · '),
      amount: formatBytes(snapshotBytes(ofVolume)),
      share: Math.min(1, snapshotBytes(ofVolume) / largest),
    })),
  };
}

const countWords = ({ length }: readonly Snapshot[]): string =>
  length === 1 ? t('1 snapshot') : t('{0} snapshots', length);

/** Shows what can be done with the snapshots of a volume, and does it. */
export async function showSnapshotMenu(volume: string): Promise<void> {
  const entry = (icon: string, label: string, command: CommandId) => ({
    ...{ label, command, iconPath: new vscode.ThemeIcon(icon) },
  });
  const chosen = await pickOne(
    [
      entry('history', t('Restore Volume from Snapshot…'), 'berth.volume.restoreSnapshot'),
      entry('device-camera', t('Snapshot Volume…'), 'berth.volume.snapshot'),
      entry('folder-opened', t('Browse Snapshot…'), 'berth.volume.browseSnapshot'),
      entry('trash', t('Delete Snapshot…'), 'berth.volume.deleteSnapshot'),
    ],
    { title: t('Snapshots of {0}', volume), placeHolder: t('What should be done?') },
  );
  if (chosen !== undefined) {
    await vscode.commands.executeCommand(chosen.command, volume);
  }
}
