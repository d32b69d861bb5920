import * as vscode from 'vscode';
import { names } from '../../ui/words';
import { baseName } from '../../api/rules/volume-path';
import type { Handler, Services } from '../command';
import { placesOrPick, type PlaceServices } from './place';
import { showInStatusBar } from '../../ui/pick';

const { t } = vscode.l10n;

/** Notes files and folders to be copied by Paste. */
export const copyFiles =
  (services: PlaceServices & Pick<Services, 'clipboard'>): Handler =>
  async (target, selected) => {
    const places = await placesOrPick(services, target, selected, t('Copy'));
    services.clipboard.put({ places, how: 'copy' });
    const what = names(places.map(({ volume, path }) => (path === '/' ? volume : baseName(path))));
    showInStatusBar(t('Copied {0}: paste it into a folder of a volume.', what), 4_000);
  };
