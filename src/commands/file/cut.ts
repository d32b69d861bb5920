import * as vscode from 'vscode';
import { names } from '../../ui/words';
import { baseName } from '../../api/rules/volume-path';
import type { Handler, Services } from '../command';
import { placesOrPick, type PlaceServices } from './place';
import { showInStatusBar } from '../../ui/pick';

const { t } = vscode.l10n;

/** Notes files and folders to be moved by Paste; until then nothing changes. */
export const cutFiles =
  (services: PlaceServices & Pick<Services, 'clipboard'>): Handler =>
  async (target, selected) => {
    const chosen = await placesOrPick(services, target, selected, t('Cut'));
    const places = chosen.filter(({ path }) => path !== '/');
    if (places.length > 0) {
      services.clipboard.put({ places, how: 'move' });
      const what = names(places.map(({ path }) => baseName(path)));
      showInStatusBar(t('Cut {0}: paste it into a folder of a volume.', what), 4_000);
    }
  };
