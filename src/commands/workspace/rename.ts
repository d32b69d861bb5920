import * as vscode from 'vscode';
import type { Handler, Services } from '../command';
import { ask, reportDone } from '../input';

const { t } = vscode.l10n;

/** Changes the label; the name, which SSH and volumes go by, stays. */
export const renameWorkspace =
  ({ targets, runner, store }: Pick<Services, 'targets' | 'runner' | 'store'>): Handler =>
  async (target) => {
    const { name, label } = await targets.workspace(target, {
      eligible: () => true,
      placeHolder: t('Workspace to rename'),
      none: t('There is no workspace.'),
    });
    const wanted = await ask({
      title: t('Rename {0}', label),
      prompt: t('Label shown in the views; the name {0} stays for SSH and volumes', name),
      value: label,
      validate: (text) => (text.trim() === '' || text.length > 80 ? t('1 to 80 characters.') : undefined),
    });
    const change = async (to: string) =>
      runner.run(t('Renaming {0}', label), async ({ client }) => {
        const take = store.awaitWorkspace(name);
        take(await client.call('workspaces.update', { params: { name }, body: { label: to } }));
      });
    if (wanted.trim() !== label && (await change(wanted.trim())).kind === 'done') {
      await reportDone(t('Renamed {0} to {1}.', label, wanted.trim()), async () => {
        await change(label);
      });
    }
  };
