import * as vscode from 'vscode';
import { formatBytes } from '../../api/rules/sizes';
import { time } from '../../ui/words';
import type { Handler } from '../command';
import { confirm } from '../input';
import { canHaveSnapshots } from '../../api/snapshots/possible';
import { pickName, pickSnapshot, type SnapshotServices } from './pick-snapshot';

const { t } = vscode.l10n;

/** Deletes a snapshot, after a dialog with what it is and what it takes. */
export const deleteSnapshot =
  (services: SnapshotServices): Handler =>
  async (target) => {
    const volume = await pickName(services, target, t('Volume to delete a snapshot of'), canHaveSnapshots);
    const {
      id,
      name,
      createdAt,
      heldBytes = 0,
    } = await pickSnapshot(services, volume, t('Snapshot of {0} to delete', volume));
    await confirm({
      message: t('Delete the snapshot {0} of {1}?', name ?? time(createdAt), volume),
      detail: [`${time(createdAt)}, ${formatBytes(heldBytes)}`, '', t('This cannot be undone.')].join('\n'),
      act: t('Delete'),
      harmless: { title: t('Keep') },
    });
    await services.runner.run(t('Deleting a snapshot of {0}', volume), async ({ client, signal }) => {
      await client.call('snapshots.delete', { params: { volume, snapshot: id }, signal });
    });
  };
