import * as vscode from 'vscode';
import { canHaveSnapshots } from '../../api/snapshots/possible';
import { snapshotUri } from '../../providers/files/volume-uri';
import { dateAndTime } from '../../ui/words';
import type { Handler } from '../command';
import { openFolder } from './openAsFolder';
import { pickName, pickSnapshot, type SnapshotServices } from './pick-snapshot';

const { t } = vscode.l10n;

/** Opens the files of a snapshot in the Explorer: they can be read and copied, and not be changed. */
export const browseSnapshot =
  (services: SnapshotServices): Handler =>
  async (target) => {
    const placeHolder = t('Volume to browse a snapshot of');
    const volume = await pickName(services, target, placeHolder, canHaveSnapshots);
    const { id, name, createdAt } = await pickSnapshot(
      services,
      volume,
      t('Snapshot of {0} to browse', volume),
      target,
    );
    const title = name ?? dateAndTime(createdAt);
    await openFolder(snapshotUri(id, volume, title), `${volume}@${title}`);
  };
