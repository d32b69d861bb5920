import * as vscode from 'vscode';
import { time } from '../../ui/words';
import { showInformationMessage } from '../../ui/messages';
import type { Handler } from '../command';
import { confirm } from '../input';
import { resultOf } from '../../api/rules/results';
import { canBeRestored } from '../../api/snapshots/possible';
import { pickVolume, pickSnapshot, type SnapshotServices } from './pick-snapshot';

const { t } = vscode.l10n;

/** Puts a volume back as it was, after a dialog; what is there now becomes a snapshot first, which undoes it. */
export const restoreSnapshot =
  (services: SnapshotServices): Handler =>
  async (target) => {
    const { name: volume } = await pickVolume(services, target, t('Volume to restore'), canBeRestored);
    const { id, name, createdAt } = await pickSnapshot(
      services,
      volume,
      t('Snapshot to restore {0} from', volume),
      target,
    );
    const title = name ?? time(createdAt);
    await confirm({
      message: t('Restore {0} from {1}?', volume, title),
      detail: t(
        'All its files become what they were ({0}). What is there now is kept as a snapshot first.',
        time(createdAt),
      ),
      act: t('Restore from Snapshot'),
      harmless: { title: t('Keep') },
    });
    const before = await restore(services, volume, id);
    if (before === undefined) {
      return;
    }
    const undo = t('Undo');
    if (
      (await showInformationMessage(t('{0} is as it was ({1}).', volume, time(createdAt)), undo)) === undo
    ) {
      await restore(services, volume, before);
    }
  };

/** Answers the snapshot that undoes it; undefined where it did not come to its end. */
async function restore(
  { runner }: SnapshotServices,
  volume: string,
  id: string,
): Promise<string | undefined> {
  const outcome = await runner.run(t('Restoring {0}', volume), async (task) =>
    task.follow(
      await task.client.call('snapshots.restore', { params: { volume, snapshot: id }, body: { keep: true } }),
    ),
  );
  return outcome.kind === 'done' ? resultOf(outcome.value, 'snapshot.restore').before : undefined;
}
