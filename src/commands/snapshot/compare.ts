import * as vscode from 'vscode';
import type { Snapshot } from '../../api';
import { snapshotFilesOf } from '../../api/rules/root-files';
import { canHaveSnapshots } from '../../api/snapshots/possible';
import { snapshotUri, volumeUri } from '../../providers/files/volume-uri';
import { showInformationMessage } from '../../ui/messages';
import { Cancelled } from '../../ui/runner';
import { dateAndTime } from '../../ui/words';
import type { Handler } from '../command';
import { pickName, pickSnapshot, type SnapshotServices } from '../volume/pick-snapshot';
import type { Comparison } from '../compare/comparison';
import type { ComparedSide } from './open-changes';

const { t } = vscode.l10n;

/** What has changed in a volume since a snapshot: a tree, each change of which opens in the diff editor. */
export const compareSnapshot =
  (services: SnapshotServices & { comparison: Comparison }): Handler =>
  async (target) => {
    const volume = await pickName(services, target, t('Volume to compare with a snapshot'), canHaveSnapshots);
    const placeHolder = t('Snapshot of {0} to compare with now', volume);
    const snapshot = await pickSnapshot(services, volume, placeHolder, target);
    const now: ComparedSide = { name: volume, title: volume, uri: volumeUri(volume, '/') };
    await services.comparison.show({ before: sideOf(snapshot), after: now });
  };

/** What has changed from one snapshot to a later one. Throws `Cancelled` for one and the same. */
export const compareSnapshots =
  (services: SnapshotServices & { comparison: Comparison }): Handler =>
  async (target) => {
    const volume = await pickName(services, target, t('Volume to compare snapshots of'), canHaveSnapshots);
    const first = await pickSnapshot(services, volume, t('First snapshot of {0} to compare', volume), target);
    const second = await pickSnapshot(services, volume, t('Snapshot to compare {0} with', titleOf(first)));
    if (first.id === second.id) {
      void showInformationMessage(t('Both are the snapshot {0}: choose another one.', titleOf(first)));
      throw new Cancelled();
    }
    const inOrder = [first, second].sort((a, b) => a.createdAt.localeCompare(b.createdAt));
    const [before, after] = inOrder.map(sideOf);
    if (before !== undefined && after !== undefined) {
      await services.comparison.show({ before, after });
    }
  };

function sideOf(snapshot: Snapshot): ComparedSide {
  const { id, volume } = snapshot;
  const title = titleOf(snapshot);
  return { name: snapshotFilesOf(id), title, uri: snapshotUri(id, volume, title), isFixed: true };
}

function titleOf({ name, createdAt }: Snapshot): string {
  return name ?? dateAndTime(createdAt);
}
