import * as vscode from 'vscode';
import { names } from '../../ui/words';
import { workspaceOfRoot } from '../../api/rules/root-files';
import { baseName } from '../../api/rules/volume-path';
import type { Handler, Services } from '../command';
import { placesOrPick, type PlaceServices } from './place';
import { showInStatusBar } from '../../ui/pick';

const { t } = vscode.l10n;

/** Notes files, folders and whole volumes to be copied by Paste; never all that a workspace has. */
export const copyFiles =
  (services: PlaceServices & Pick<Services, 'clipboard'>): Handler =>
  async (target, selected) => {
    const chosen = await placesOrPick(services, target, selected, t('Copy'));
    const places = chosen.filter(({ volume, path }) => path !== '/' || workspaceOfRoot(volume) === undefined);
    if (places.length === 0) {
      return;
    }
    services.clipboard.put({ places, how: 'copy' });
    const what = names(places.map(({ volume, path }) => (path === '/' ? volume : baseName(path))));
    showInStatusBar(t('Copied {0}: paste it into a folder of a volume.', what), 4_000);
  };
