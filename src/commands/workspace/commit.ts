import * as vscode from 'vscode';
import type { Handler, Services } from '../command';
import { isUsable, offeredToCommit } from '../../api/rules/lifecycle';
import type { CommandId } from '../../ui/contributions/commands';
import { ask } from '../input';
import { showInformationMessage } from '../../ui/messages';

const { t } = vscode.l10n;

/** Makes an image of what a workspace has outside of its volumes. */
export const commitWorkspace =
  ({ targets, runner }: Pick<Services, 'targets' | 'runner'>): Handler =>
  async (target) => {
    const { name, label } = await targets.workspace(target, {
      eligible: ({ state }) => isUsable('commit', state),
      offered: ({ state }) => offeredToCommit.includes(state),
      placeHolder: t('Workspace to commit to an image'),
      none: t('No workspace can be committed.'),
    });
    const answer = await ask({
      title: t('Commit {0} to an Image', label),
      prompt: t('Name of the image, which will contain everything outside of volumes'),
      value: `${name}:1`,
      validate: (text) =>
        /^[a-z0-9]\S*$/.test(text.trim())
          ? undefined
          : t('Lower case letters and digits, e.g. my-tools:1 or registry.example/group/name:tag.'),
    });
    const image = answer.trim();
    const outcome = await runner.run(t('Committing {0} to {1}', label, image), async (task) =>
      task.follow(
        await task.client.call('workspaces.commit', {
          params: { name },
          query: { wait: 0 },
          body: { image },
        }),
      ),
    );
    if (outcome.kind === 'done') {
      await offerNext(image);
    }
  };

/** It may have taken so long that nobody looks any more. */
async function offerNext(image: string): Promise<void> {
  const create = t('Create Workspace…');
  const text = t('Committed {0}: you can create workspaces from this image.', image);
  if ((await showInformationMessage(text, create)) === create) {
    const command: CommandId = 'berth.workspace.create';
    await vscode.commands.executeCommand(command);
  }
}
