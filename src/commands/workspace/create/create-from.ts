/** Creates what was described, shows its steps, and offers what comes next. */
import * as vscode from 'vscode';
import { hintedRemedy } from '../../../ui/remedies/hinted-remedy';
import type { CommandId } from '../../../ui/contributions/commands';
import type { Services } from '../../command';
import { toRequest, type WorkspaceDraft } from './draft';
import { showInformationMessage, showWarningMessage } from '../../../ui/messages';

const { t } = vscode.l10n;

/**
 * Resolves when it is made, or was cancelled or failed, which the user has seen then, with buttons to try again. `changeImage`: asks
 * for another image, with all other answers as they are.
 */
export async function createFrom(
  services: Pick<Services, 'runner' | 'store' | 'views'>,
  draft: WorkspaceDraft,
  changeImage?: () => Promise<void>,
): Promise<void> {
  const again = { title: t('Try Again'), run: () => createFrom(services, draft, changeImage) };
  const change = changeImage === undefined ? [] : [{ title: t('Change Image…'), run: changeImage }];
  const { runner, store, views } = services;
  // The button that was pressed goes with the welcome that it is in, and the focus with it.
  const focus = store.workspaces.length === 0 && views.areVisible;
  const outcome = await runner.run(
    t('Creating {0}', draft.name),
    async (task) => {
      const body = toRequest(draft);
      const operation = await task.client.call('workspaces.create', { query: { wait: 0 }, body });
      void views.revealWorkspace(draft.name, { focus });
      return task.follow(operation);
    },
    (error) => {
      // A message has room for three buttons: the doctor knows of no image that would do better.
      const hinted = error.code === 'image_missing' ? hintedRemedy(error) : undefined;
      return [...(hinted === undefined ? [] : [hinted]), again, ...change];
    },
  );
  if (outcome.kind === 'done') {
    await offerNext(draft.name, outcome.value.warnings);
  }
}

async function offerNext(name: string, warnings: readonly string[]): Promise<void> {
  const open = t('Open');
  const terminal = t('Terminal');
  const chosen =
    warnings.length === 0
      ? await showInformationMessage(t('Workspace {0} is ready.', name), open, terminal)
      : await showWarningMessage(
          t('Workspace {0} is ready, with warnings: {1}', name, warnings.join(' ')),
          open,
          terminal,
        );
  const next: CommandId | undefined =
    chosen === open
      ? 'berth.workspace.open'
      : chosen === terminal
        ? 'berth.workspace.openTerminal'
        : undefined;
  if (next !== undefined) {
    await vscode.commands.executeCommand(next, name);
  }
}
