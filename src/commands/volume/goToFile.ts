import * as vscode from 'vscode';
import { baseName, parentPath } from '../../api/rules/volume-path';
import { volumeUri } from '../../providers/files/volume-uri';
import type { Handler, Services } from '../command';
import { chooseFound } from './found-list';
import { leftOut, searchedPlace } from './searched-place';

const { t } = vscode.l10n;
const maxFiles = 50_000;

/** Opens a file of a volume by a part of its name, wherever it is. */
export const goToFile =
  ({ link, targets }: Pick<Services, 'link' | 'targets'>): Handler =>
  async (target) => {
    const place = await searchedPlace(targets, target);
    const chosen = await chooseFound(await link.client(), place, {
      title: t('Go to file in {0}', place.volume),
      query: { limit: maxFiles, exclude: leftOut },
      itemOf: (found) => {
        const path = typeof found === 'string' ? found : found.path;
        return { label: baseName(path), description: parentPath(path), path };
      },
      summary: ({ length }) => (length === 1 ? t('1 file') : t('{0} files', length)),
    });
    if (chosen !== undefined) {
      await vscode.commands.executeCommand('vscode.open', volumeUri(place.volume, chosen.path));
    }
  };
