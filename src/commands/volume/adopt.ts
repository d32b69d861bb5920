import * as vscode from 'vscode';
import type { Volume } from '../../api';
import type { Handler, Services } from '../command';
import { confirm } from '../input';

const { t } = vscode.l10n;

const isOfOthers = ({ managed, owner }: Volume): boolean => !managed || owner !== undefined;

/** Counts a volume that another tool or installation made as one of ours: it is offered, mounted and deleted as ours are. */
export const adoptVolumeAlone =
  ({ runner, store, targets }: Pick<Services, 'runner' | 'store' | 'targets'>): Handler =>
  async (target) => {
    const [volume] = await targets.volumes(target, undefined, {
      placeHolder: t('Volume to take over'),
      offered: isOfOthers,
      none: t('There is no volume of another tool or installation.'),
    });
    if (volume === undefined) {
      return;
    }
    const { name, owner } = volume;
    if (!isOfOthers(volume)) {
      void vscode.window.showInformationMessage(t('{0} already belongs to this installation.', name));
      return;
    }
    await confirm(t('Take over volume {0}?', name), consequences(volume), t('Take Over'));
    await runner.run(t('Taking over {0}', name), async ({ client, signal }) => {
      const body = owner === undefined ? {} : { takeOver: true };
      const payload = await client.call('volumes.adopt', { params: { volume: name }, body, signal });
      store.take({ type: 'volume.changed', payload });
    });
  };

function consequences({ owner }: Volume): string {
  return [
    owner === undefined
      ? t('Another tool made it, and may go on using it.')
      : t(
          'It belongs to another installation of Berth ({0}), which will lose it.',
          owner.home ?? owner.installation,
        ),
    t('It keeps its name and all its files. This installation can then mount and delete it.'),
  ].join('\n');
}
