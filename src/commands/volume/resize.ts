import * as vscode from 'vscode';
import type { Handler, Services } from '../command';
import { ask } from '../input';
import { parseDiskSize } from '../../api/rules/sizes';
import { typedNumber } from '../../ui/sizes';
import { showInformationMessage } from '../../ui/messages';

const { t } = vscode.l10n;

/** Grows a disk that nothing holds. Docker volumes and folders grow by themselves. */
export const resizeVolume =
  ({ runner, store, targets }: Pick<Services, 'runner' | 'store' | 'targets'>): Handler =>
  async (target) => {
    const [volume] = await targets.volumes(target, undefined, {
      placeHolder: t('Disk to resize'),
      offered: ({ kind }) => kind === 'disk',
      none: t('There is no disk to resize: Docker volumes and folders grow by themselves.'),
    });
    if (volume === undefined) {
      return;
    }
    const { name, kind, sizeMiB = 0 } = volume;
    if (kind !== 'disk') {
      void showInformationMessage(t('{0} has no fixed size: it grows by itself.', name));
      return;
    }
    const size = await ask({
      title: t('Resize {0}', name),
      prompt: t('New size, larger than {0} MiB, e.g. 20 GiB', sizeMiB),
      validate: (text) =>
        (parseDiskSize(typedNumber(text)) ?? 0) > sizeMiB
          ? undefined
          : t('A size larger than {0} MiB.', sizeMiB),
    });
    await runner.run(t('Resizing {0}', name), async ({ client, signal }) => {
      const body = { sizeMiB: parseDiskSize(typedNumber(size)) ?? sizeMiB };
      const payload = await client.call('volumes.resize', { params: { volume: name }, body, signal });
      store.take({ type: 'volume.changed', payload });
    });
  };
