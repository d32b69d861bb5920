/** One file or folder as it was in a snapshot: what is there now is kept first, and never overwritten unseen. */
import * as vscode from 'vscode';
import { asBerthError, type Change, type FileEntry } from '../../api';
import { baseName, parentPath } from '../../api/rules/volume-path';
import { canBeKept } from '../../api/snapshots/possible';
import type { EngineClient } from '../../client/engine-client';
import { showInformationMessage } from '../../ui/messages';
import { confirm } from '../input';
import type { SnapshotServices } from '../volume/pick-snapshot';

const { t } = vscode.l10n;

export interface TakenFrom {
  /** What stands for the files of the snapshot. */
  from: string;
  volume: string;
}

/** What is new since cannot be taken back, and what is another kind of file is for a person to move away first. */
export function canBeTakenBack({ kind }: Change): boolean {
  return kind === 'changed' || kind === 'removed';
}

/** Asks first, and says what came of it. */
export async function takeBack(
  { link, runner }: SnapshotServices,
  change: Change,
  { from, volume }: TakenFrom,
): Promise<void> {
  const { path } = change;
  const client = await link.client();
  const isKept = canBeKept(await client.call('volumes.get', { params: { volume } }));
  const hasChanged = !isAsCompared(change, await entryAt(client, volume, path));
  await confirm({
    message: t('Restore {0} in {1}?', path, volume),
    detail: [
      hasChanged ? t('It has changed since it was compared.') : '',
      isKept
        ? t('The volume is kept as a snapshot first.')
        : t('Its disk is in use: there is no snapshot first, and what the file has now is lost.'),
    ]
      .filter((line) => line !== '')
      .join(' '),
    act: t('Restore'),
    harmless: { title: t('Keep') },
  });
  const outcome = await runner.run(t('Restoring {0}', path), async (task) => {
    if (isKept) {
      const description = `before ${baseName(path)} was restored`.slice(0, 80);
      await task.follow(
        await task.client.call('snapshots.create', { params: { volume }, body: { description } }),
      );
    }
    const folder = parentPath(path);
    if (folder !== '/') {
      await task.client.call('files.mkdir', { params: { volume }, body: { path: folder, parents: true } });
    }
    return task.follow(
      await task.client.call('transfers.create', {
        body: {
          from: { volume: from, paths: [path] },
          to: { volume, path },
          ...{ exact: true, conflict: 'overwrite' },
        },
      }),
    );
  });
  if (outcome.kind === 'done') {
    void showInformationMessage(t('{0} is as it was.', path));
  }
}

function isAsCompared({ after }: Change, now: FileEntry | undefined): boolean {
  if (after === undefined || now === undefined) {
    return after === undefined && now === undefined;
  }
  return after.type === now.type && after.size === now.size && after.mtimeMs === now.mtimeMs;
}

async function entryAt(client: EngineClient, volume: string, path: string): Promise<FileEntry | undefined> {
  try {
    return await client.call('files.stat', { params: { volume }, query: { path } });
  } catch (error) {
    if (asBerthError(error).code === 'path_not_found') {
      return undefined;
    }
    throw error;
  }
}
