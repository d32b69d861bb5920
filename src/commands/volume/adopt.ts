import * as vscode from 'vscode';
import type { Volume } from '../../api';
import { ownerOf } from '../../api/rules/owner';
import type { Handler, Services } from '../command';
import { confirmAdoption } from '../input';
import { showInformationMessage } from '../../ui/messages';

const { t } = vscode.l10n;

type AdoptServices = Pick<Services, 'runner' | 'store' | 'targets'>;

/** Counts a volume that another tool made as one of ours: it is offered, mounted and deleted as ours are. */
export const adoptVolumeAlone = (services: AdoptServices): Handler =>
  adopting(services, {
    offered: (volume) => !volume.managed && ownerOf(volume) === undefined,
    placeHolder: t('Volume to adopt'),
    none: t('There is no volume of another tool.'),
  });

/** The same with one of another installation, which loses it. */
export const takeVolumeOver = (services: AdoptServices): Handler =>
  adopting(services, {
    offered: (volume) => ownerOf(volume) !== undefined,
    placeHolder: t('Volume to take over'),
    none: t('There is no volume of another installation of Berth.'),
  });

function adopting(
  { runner, store, targets }: AdoptServices,
  choice: { offered: (volume: Volume) => boolean; placeHolder: string; none: string },
): Handler {
  return async (target) => {
    const [volume] = await targets.volumes(target, undefined, {
      ...{ ...choice, isOfOthers: true },
      offered: (each) => each.kind === 'docker' && choice.offered(each),
    });
    if (volume === undefined) {
      return;
    }
    const { name } = volume;
    const owner = ownerOf(volume);
    if (volume.managed && owner === undefined) {
      void showInformationMessage(t('{0} already belongs to this installation.', name));
      return;
    }
    const isOfTool = owner === undefined;
    await confirmAdoption(isOfTool ? t('Adopt volume {0}?', name) : t('Take over volume {0}?', name), {
      detail: consequences(volume),
      act: isOfTool ? t('Adopt') : t('Take Over'),
      owner,
    });
    const title = isOfTool ? t('Adopting {0}', name) : t('Taking over {0}', name);
    await runner.run(title, async ({ client, signal }) => {
      const body = isOfTool ? {} : { takeOver: true };
      const payload = await client.call('volumes.adopt', { params: { volume: name }, body, signal });
      store.take({ type: 'volume.changed', payload });
    });
  };
}

function consequences(volume: Volume): string {
  const owner = ownerOf(volume);
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
