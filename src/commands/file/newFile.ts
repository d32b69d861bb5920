import * as vscode from 'vscode';
import { pathIn } from '../../providers/files/paths';
import { parentPath } from '../../api/rules/volume-path';
import { volumeUri } from '../../providers/files/volume-uri';
import type { Handler, Services } from '../command';
import { ask } from '../input';
import { newPathMessage } from './name-words';
import { folderOrPick, type PlaceServices } from './place';

const { t } = vscode.l10n;

/** Makes an empty file, with the folders it needs, and opens it. */
export const newFile =
  (services: PlaceServices & Pick<Services, 'runner'>): Handler =>
  async (target) => {
    const { volume, path: folder } = await folderOrPick(services, target, t('New File'));
    const name = await ask({
      title: t('New file in {0}', `${volume}:${folder}`),
      prompt: t('Name of the file, e.g. notes.txt or src/main.ts'),
      validate: newPathMessage,
    });
    const path = pathIn(folder, name);
    const outcome = await services.runner.run(t('New file {0}', name), async ({ client, signal }) => {
      if (name.includes('/')) {
        const body = { path: parentPath(path), parents: true };
        await client.call('files.mkdir', { params: { volume }, body, signal });
      }
      await client.writeFile(volume, path, Buffer.alloc(0), { create: true, overwrite: false }, signal);
    });
    if (outcome.kind === 'done') {
      await vscode.commands.executeCommand('vscode.open', volumeUri(volume, path));
    }
  };
