import * as vscode from 'vscode';
import { pathIn } from '../../providers/files/paths';
import { baseName, parentPath } from '../../api/rules/volume-path';
import type { Handler, Services } from '../command';
import { ask, reportDone } from '../input';
import { Cancelled } from '../../ui/runner';
import { fileNameMessage } from './name-words';
import { placesOrPick, type PlaceServices } from './place';

const { t } = vscode.l10n;

/** Renames a file or folder in its folder; can be undone. Throws `Cancelled` for no file, or the root of a volume. */
export const renameFile =
  (services: PlaceServices & Pick<Services, 'runner' | 'views'>): Handler =>
  async (target) => {
    const [place] = await placesOrPick(services, target, undefined, t('Rename'));
    if (place === undefined || place.path === '/') {
      throw new Cancelled();
    }
    const { volume, path: from, row } = place;
    const name = baseName(from);
    const dot = name.lastIndexOf('.');
    const wanted = await ask({
      title: t('Rename {0}', name),
      value: name,
      selection: [0, dot > 0 && !place.isFolder ? dot : name.length],
      validate: fileNameMessage,
    });
    const to = pathIn(parentPath(from), wanted);
    const rename = (body: { from: string; to: string }) =>
      services.runner.run(t('Renaming {0}', baseName(body.from)), async ({ client, signal }) => {
        await client.call('files.rename', { params: { volume }, body, signal });
      });
    if (wanted !== name && (await rename({ from, to })).kind === 'done') {
      if (row !== undefined) {
        void services.views.revealRenamed(row, to);
      }
      await reportDone(t('Renamed {0} to {1}.', name, wanted), async () => {
        await rename({ from: to, to: from });
      });
    }
  };
