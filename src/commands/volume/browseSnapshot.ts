import * as vscode from 'vscode';
import { snapshotFilesOf } from '../../api/rules/root-files';
import { canHaveSnapshots } from '../../api/snapshots/possible';
import { volumeUri } from '../../providers/files/volume-uri';
import { time } from '../../ui/words';
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
    );
    await openFolder(volumeUri(snapshotFilesOf(id), '/'), `${name ?? time(createdAt)} (${volume})`);
  };
