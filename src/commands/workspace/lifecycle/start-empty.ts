/** Starting with new, empty volumes in place of those that are gone: after a dialog for each workspace. */
import * as vscode from 'vscode';
import type { BerthError, Workspace } from '../../../api';
import type { Runner } from '../../../ui/runner';
import { confirm } from '../../input';
import type { EmptyStart, Failed } from './remediable';
import { oneByOne } from './one-by-one';

const { t } = vscode.l10n;

export async function startEmpty(runner: Runner, found: readonly Failed[], start: EmptyStart): Promise<void> {
  await oneByOne(found, async ({ workspace, error }) => {
    await confirmEmpty(workspace, error);
    await runner.run(t('Starting {0}', workspace.label), async (task) => {
      await task.follow(await start(task.client, workspace.name));
    });
  });
}

/** The engine's message names each volume. */
async function confirmEmpty({ label, state }: Workspace, error: BerthError): Promise<void> {
  await confirm({
    message: t('Start {0} without the files of its volume?', label),
    detail: [
      error.message,
      ...(state === 'paused' ? [t('It is paused: the memory of its programs will be lost.')] : []),
      '',
      t(
        'Berth creates a new, empty volume in its place. If you have a backup of the volume, restore it first.',
      ),
    ].join('\n'),
    act: t('Start with an Empty Volume'),
    harmless: { title: t('Not Now') },
  });
}
