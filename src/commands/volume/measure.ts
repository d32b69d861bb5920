import * as vscode from 'vscode';
import { measureVolumeInto } from '../../providers/trees/volume-sizes';
import { names } from '../../ui/words';
import type { Handler, Services } from '../command';

const { t } = vscode.l10n;

/** Measures how much volumes hold; their rows show it. */
export const measureVolume =
  ({ runner, store, targets }: Pick<Services, 'runner' | 'store' | 'targets'>): Handler =>
  async (target, selected) => {
    const volumes = await targets.volumes(target, selected, { placeHolder: t('Volume to measure') });
    await runner.run(
      t('Measuring {0}', names(volumes.map(({ name }) => name))),
      async ({ client, signal }) => {
        for (const { name } of volumes) {
          await measureVolumeInto(store, client, name, signal);
        }
      },
    );
  };
