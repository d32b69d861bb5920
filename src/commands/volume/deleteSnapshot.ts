import * as vscode from 'vscode';
import type { Snapshot } from '../../api';
import { formatBytes } from '../../ui/sizes';
import { snapshotTitle } from '../../providers/trees/volume-snapshots';
import { time } from '../../ui/words';
import type { Handler } from '../command';
import { confirm } from '../input';
import { canHaveSnapshots } from '../../api/snapshots/possible';
import { pickName, pickSnapshot, type SnapshotServices } from './pick-snapshot';

const { t } = vscode.l10n;

/** Deletes the snapshots whose rows are selected, or a chosen one, after a dialog with what they are and what they take. */
export const deleteSnapshot =
  (services: SnapshotServices): Handler =>
  async (target, selected) => {
    const meant = await snapshotsMeant(services, target, selected);
    const [first] = meant;
    if (first === undefined) {
      return;
    }
    const lines = meant.map(({ volume, name, createdAt, heldBytes = 0 }) => {
      const facts = `${time(createdAt)}, ${formatBytes(heldBytes)}`;
      return meant.length === 1 ? facts : `${volume}: ${name === undefined ? '' : `${name}, `}${facts}`;
    });
    await confirm({
      message:
        meant.length === 1
          ? t('Delete the snapshot {0} of {1}?', snapshotTitle(first), first.volume)
          : t('Delete {0} snapshots?', meant.length),
      detail: [...lines, '', t('This cannot be undone.')].join('\n'),
      act: t('Delete'),
      harmless: { title: t('Keep') },
    });
    const volumes = [...new Set(meant.map(({ volume }) => volume))].join(', ');
    const title =
      meant.length === 1 ? t('Deleting a snapshot of {0}', volumes) : t('Deleting snapshots of {0}', volumes);
    await services.runner.run(title, async ({ client, signal }) => {
      for (const { volume, id } of meant) {
        await client.call('snapshots.delete', { params: { volume, snapshot: id }, signal });
      }
    });
  };

async function snapshotsMeant(
  services: SnapshotServices,
  target: unknown,
  selected: unknown,
): Promise<Snapshot[]> {
  const rows = services.targets.rows(target, selected).filter((row) => row.type === 'snapshot');
  if (rows.length > 0) {
    const client = await services.link.client();
    return Promise.all(
      rows.map(({ volume, id }) => client.call('snapshots.get', { params: { volume, snapshot: id } })),
    );
  }
  const volume = await pickName(services, target, t('Volume to delete a snapshot of'), canHaveSnapshots);
  return [await pickSnapshot(services, volume, t('Snapshot of {0} to delete', volume))];
}
