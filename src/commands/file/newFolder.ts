import * as vscode from 'vscode';
import { pathIn } from '../../providers/files/paths';
import type { Handler, Services } from '../command';
import { ask } from '../input';
import { newPathMessage } from './name-words';
import { folderOrPick, type PlaceServices } from './place';

const { t } = vscode.l10n;

/** Makes a folder, with the folders above it that are missing. */
export const newFolder =
  (services: PlaceServices & Pick<Services, 'runner'>): Handler =>
  async (target) => {
    const { volume, path: folder } = await folderOrPick(services, target, t('New Folder'));
    const name = await ask({
      title: t('New folder in {0}', `${volume}:${folder}`),
      prompt: t('Name of the folder, e.g. src or src/test'),
      validate: newPathMessage,
    });
    await services.runner.run(t('New folder {0}', name), async ({ client, signal }) => {
      const body = { path: pathIn(folder, name), parents: name.includes('/') };
      await client.call('files.mkdir', { params: { volume }, body, signal });
    });
  };
