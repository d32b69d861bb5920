import * as vscode from 'vscode';
import { isName } from '../../api/rules/names';
import type { Handler } from '../command';
import { ask } from '../input';
import { canBeKept } from '../../api/snapshots/possible';
import { pickVolume, type SnapshotServices } from './pick-snapshot';
import { showInformationMessage } from '../../ui/messages';

const { t } = vscode.l10n;

/** Keeps a volume as it is now, under a name or by its time alone. */
export const snapshotVolume =
  (services: SnapshotServices): Handler =>
  async (target) => {
    const { name: volume } = await pickVolume(services, target, t('Volume to make a snapshot of'), canBeKept);
    const given = await ask({
      title: t('Snapshot of {0}', volume),
      prompt: t('Name of the snapshot; empty: it is known by its time'),
      placeHolder: t('e.g. before-upgrade'),
      validate: (text) =>
        text.trim() === '' || isName(text.trim())
          ? undefined
          : t('Lowercase letters, digits and hyphens, 1 to 63 characters, no hyphen at the ends.'),
    });
    const name = given.trim();
    const outcome = await services.runner.run(t('Making a snapshot of {0}', volume), async (task) =>
      task.follow(
        await task.client.call('snapshots.create', {
          params: { volume },
          body: name === '' ? {} : { name },
        }),
      ),
    );
    if (outcome.kind === 'done') {
      void showInformationMessage(
        t('{0} is kept as it is now: “Restore Volume from Snapshot…” brings it back.', volume),
      );
    }
  };
