import * as vscode from 'vscode';
import type { Workspace } from '../../api';
import type { EngineClient } from '../../client/engine-client';
import { runtimeWords } from '../../providers/words';
import type { Handler, Services } from '../command';
import { confirm } from '../input';
import { Cancelled } from '../runner';

const { t } = vscode.l10n;

/** A new runtime on the same volumes, from the image as it is now or from another one. */
export const rebuildWorkspace =
  ({ targets, runner, store, link }: Pick<Services, 'targets' | 'runner' | 'store' | 'link'>): Handler =>
  async (target) => {
    const workspace = await targets.workspace(target, {
      eligible: ({ state }) => ['running', 'paused', 'stopped', 'error'].includes(state),
      placeHolder: t('Workspace to rebuild'),
      none: t('No workspace can be rebuilt.'),
    });
    const image = await pickImage(await link.client(), workspace);
    await confirm(
      t('Rebuild {0} on {1}?', workspace.label, image),
      t(
        'Its {0} is replaced. Kept: volume {1}. Lost: what was installed outside of the volumes, and running processes.',
        runtimeWords(workspace.spec.runtime).name,
        [workspace.homeVolume, workspace.dockerVolume].filter(Boolean).join(', '),
      ),
      t('Rebuild'),
    );
    store.expect(workspace.name, 'recovering');
    await runner.run(t('Rebuilding {0}', workspace.label), async (task) => {
      const body = image === workspace.spec.image ? {} : { image };
      const params = { name: workspace.name };
      await task.follow(await task.client.call('workspaces.rebuild', { params, query: { wait: 0 }, body }));
    });
    store.settle(workspace.name);
  };

async function pickImage(client: EngineClient, workspace: Workspace): Promise<string> {
  const current = workspace.spec.image;
  const images = await client.call('images.list', {});
  const others = images.flatMap(({ tags }) => tags).filter((tag) => tag !== current);
  const items = [
    { label: current, description: t('the image as it is now') },
    ...others.map((label) => ({ label, description: '' })),
  ];
  const chosen = await vscode.window.showQuickPick(items, {
    placeHolder: t('Image to rebuild {0} on', workspace.label),
  });
  if (chosen === undefined) {
    throw new Cancelled();
  }
  return chosen.label;
}
