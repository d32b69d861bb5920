import * as vscode from 'vscode';
import { asBerthError, BerthError } from '../../api';
import { pathIn } from '../../providers/files/paths';
import { baseName, parentPath } from '../../api/rules/volume-path';
import { names } from '../../ui/words';
import type { Task } from '../../ui/runner';
import type { Handler, Services } from '../command';
import type { Place } from '../targets';
import { placesOrPick, type PlaceServices } from './place';

const { t } = vscode.l10n;
const maxTries = 100;

/** `a copy.txt`, then `a copy 2.txt`: as the Explorer names them. */
export function copyName(name: string, isFolder: boolean, count: number): string {
  const dot = isFolder ? -1 : name.lastIndexOf('.');
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  return count === 1 ? `${stem} copy${extension}` : `${stem} copy ${count}${extension}`;
}

/** Copies files and folders beside themselves, under the first name that is free. */
export const duplicateFiles =
  (services: PlaceServices & Pick<Services, 'runner'>): Handler =>
  async (target, selected) => {
    const all = await placesOrPick(services, target, selected, t('Duplicate'));
    const places = all.filter(({ path }) => path !== '/');
    const what = names(places.map(({ path }) => baseName(path)));
    await services.runner.run(t('Duplicating {0}', what), async (task) => {
      for (const place of places) {
        await duplicate(task, place);
      }
    });
  };

async function duplicate({ client, signal }: Task, { volume, path, isFolder }: Place): Promise<void> {
  const folder = parentPath(path);
  for (let count = 1; count <= maxTries; count++) {
    const to = pathIn(folder, copyName(baseName(path), isFolder, count));
    try {
      await client.call('files.copy', {
        params: { volume },
        body: { from: path, to, overwrite: false },
        signal,
      });
      return;
    } catch (thrown) {
      if (asBerthError(thrown).code !== 'path_exists') {
        throw thrown;
      }
    }
  }
  throw new BerthError('path_exists', t('{0} has {1} copies already.', path, maxTries), {
    hint: t('Delete or rename some of them.'),
  });
}
