import * as vscode from 'vscode';
import { names } from '../../ui/words';
import type { Handler, Services } from '../command';

const { t } = vscode.l10n;

/** Protects volumes from delete, or takes that away. */
export const protectVolume =
  (
    { runner, store, targets }: Pick<Services, 'runner' | 'store' | 'targets'>,
    isProtected: boolean,
  ): Handler =>
  async (target, selected) => {
    const volumes = await targets.volumes(target, selected, {
      placeHolder: isProtected ? t('Volume to protect') : t('Volume to unprotect'),
      offered: (volume) => volume.owner === undefined && (volume.protected === true) !== isProtected,
      none: isProtected ? t('Every volume is protected.') : t('No volume is protected.'),
    });
    const title = t('Marking {0}', names(volumes.map(({ name }) => name)));
    await runner.run(title, async ({ client, signal }) => {
      for (const { name } of volumes) {
        const params = { volume: name };
        const payload = await client.call('volumes.update', {
          params,
          body: { protected: isProtected },
          signal,
        });
        store.take({ type: 'volume.changed', payload });
      }
    });
  };
