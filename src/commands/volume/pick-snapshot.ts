/** Choosing a volume, and snapshots of it. */
import * as vscode from 'vscode';
import type { Snapshot, Volume } from '../../api';
import { formatBytes } from '../../ui/sizes';
import { pickOne } from '../../ui/pick';
import { Cancelled } from '../../ui/runner';
import { time } from '../../ui/words';
import { showInformationMessage } from '../../ui/messages';
import { isRow } from '../../providers/trees/rows';
import { reasonWords, snapshotIcon, snapshotTitle } from '../../providers/trees/volume-snapshots';
import type { Services } from '../command';

const { t } = vscode.l10n;

export type SnapshotServices = Pick<Services, 'link' | 'runner' | 'store' | 'targets'>;

/** The name of the volume that is meant, which may be gone, or of a chosen one. Throws `Cancelled`. */
export async function pickName(
  services: SnapshotServices,
  target: unknown,
  placeHolder: string,
  offered: (volume: Volume) => boolean,
): Promise<string> {
  return typeof target === 'string'
    ? target
    : (await pickVolume(services, target, placeHolder, offered)).name;
}

/** The volume that is meant, or chosen of those that `offered` lets through. Throws `Cancelled`. */
export async function pickVolume(
  { targets }: SnapshotServices,
  target: unknown,
  placeHolder: string,
  offered: (volume: Volume) => boolean,
): Promise<Volume> {
  const [volume] = await targets.volumes(target, undefined, {
    placeHolder,
    offered,
    none: t(
      'There is no volume for this: disks and restored volumes must be stopped, and folders have no snapshots yet.',
    ),
  });
  if (volume === undefined) {
    throw new Cancelled();
  }
  return volume;
}

/** The snapshot whose row was clicked, else a chosen one, newest first; says so where there is none. Throws `Cancelled`. */
export async function pickSnapshot(
  { link }: SnapshotServices,
  volume: string,
  placeHolder: string,
  target?: unknown,
): Promise<Snapshot> {
  const client = await link.client();
  if (isRow(target) && target.type === 'snapshot') {
    return client.call('snapshots.get', { params: { volume, snapshot: target.id } });
  }
  const snapshots = await client.call('snapshots.list', { params: { volume } });
  if (snapshots.length === 0) {
    void showInformationMessage(t('{0} has no snapshots yet.', volume));
    throw new Cancelled();
  }
  const chosen = await pickOne(snapshots.map(itemOf), { placeHolder, matchOnDescription: true });
  if (chosen === undefined) {
    throw new Cancelled();
  }
  return chosen.snapshot;
}

function itemOf(snapshot: Snapshot) {
  const { name, createdAt, description, usedBytes, reason } = snapshot;
  const why = reasonWords(reason);
  return {
    label: snapshotTitle(snapshot),
    description: [...(name === undefined ? [] : [time(createdAt)]), ...why, formatBytes(usedBytes)].join(
      ' · ',
    ),
    ...(description !== undefined && { detail: description }),
    iconPath: new vscode.ThemeIcon(snapshotIcon(snapshot)),
    snapshot,
  };
}
