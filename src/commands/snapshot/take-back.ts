/** One file or folder as it was in a snapshot: what is there now is kept first, and never overwritten unseen. */
import * as vscode from 'vscode';
import { asBerthError, BerthError, type Change, type FileEntry, type Operation } from '../../api';
import { baseName, parentPath } from '../../api/rules/volume-path';
import type { EngineClient } from '../../client/engine-client';
import { countsOf } from '../../providers/drop/transfer-words';
import { showInformationMessage } from '../../ui/messages';
import { printable } from '../../ui/plain-label';
import type { Task } from '../../ui/runner';
import { confirm } from '../input';
import type { SnapshotServices } from '../volume/pick-snapshot';
import type { Services } from '../command';

const { t } = vscode.l10n;

/** That of a snapshot, as the engine takes it. */
const maxDescription = 80;

export type TakingServices = SnapshotServices & Pick<Services, 'transfers'>;

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
  { link, runner, transfers }: TakingServices,
  change: Change,
  { from, volume }: TakenFrom,
): Promise<void> {
  const { path } = change;
  const client = await link.client();
  await refuseLinks(client, volume, path);
  const seen = await entryAt(client, volume, path);
  await confirm({
    message: t('Restore {0} in {1}?', printable(path), volume),
    detail: [
      isSame(change.after, seen) ? '' : t('It has changed since it was compared.'),
      t('The volume is kept as a snapshot first.'),
    ]
      .filter((line) => line !== '')
      .join(' '),
    act: t('Restore from Snapshot'),
    harmless: { title: t('Keep') },
  });
  const title = t('Restoring {0} in {1}', printable(path), volume);
  const outcome = await runner.run(title, async (task) => {
    await keepFirst(task, volume, path);
    return bringBack(task, { from, volume, path, seen });
  });
  if (outcome.kind !== 'done') {
    return;
  }
  const { failed, skipped } = countsOf(outcome.value);
  if (failed.length + skipped.length > 0) {
    transfers.reportEnd(title, outcome.value);
  } else {
    void showInformationMessage(t('{0} is as it was.', printable(path)));
  }
}

async function keepFirst(task: Task, volume: string, path: string): Promise<void> {
  const words = t('before {0} was restored', printable(baseName(path)));
  const description = Array.from(words).slice(0, maxDescription).join('');
  await task.follow(
    await task.client.call('snapshots.create', { params: { volume }, body: { description } }),
  );
}

/** Throws where the place is not as it was when the user was asked. */
async function bringBack(
  task: Task,
  { from, volume, path, seen }: TakenFrom & { path: string; seen: FileEntry | undefined },
): Promise<Operation> {
  const { client } = task;
  await refuseLinks(client, volume, path);
  const folder = parentPath(path);
  if (folder !== '/') {
    await client.call('files.mkdir', { params: { volume }, body: { path: folder, parents: true } });
  }
  if (!isSame(seen, await entryAt(client, volume, path))) {
    throw new BerthError('illegal_state', t('It has changed since you were asked, and is left as it is.'));
  }
  return task.follow(
    await client.call('transfers.create', {
      body: {
        from: { volume: from, paths: [path] },
        to: { volume, path },
        ...{ exact: true, conflict: 'overwrite' },
      },
    }),
  );
}

/** Through a folder that has become a link, something else would be overwritten. */
async function refuseLinks(client: EngineClient, volume: string, path: string): Promise<void> {
  const names = path.split('/').slice(1, -1);
  for (const at of names.keys()) {
    const folder = `/${names.slice(0, at + 1).join('/')}`;
    const found = await entryAt(client, volume, folder);
    if (found === undefined) {
      return;
    }
    if (found.type === 'symlink') {
      throw new BerthError(
        'illegal_state',
        t('{0} is a link now: move it away before something in it is restored.', printable(folder)),
      );
    }
  }
}

type Facts = Pick<FileEntry, 'type' | 'size' | 'mtimeMs'>;

function isSame(one: Facts | undefined, other: Facts | undefined): boolean {
  if (one === undefined || other === undefined) {
    return one === other;
  }
  return one.type === other.type && one.size === other.size && one.mtimeMs === other.mtimeMs;
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
