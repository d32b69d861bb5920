import * as vscode from 'vscode';
import type { Workspace, WorkspacePatch } from '../../../api';
import { names } from '../../../ui/words';
import type { Services } from '../../command';

const { t } = vscode.l10n;

/** Marks workspaces, one after the other; their rows follow. */
export async function mark(
  { runner, store }: Pick<Services, 'runner' | 'store'>,
  workspaces: readonly Workspace[],
  body: Pick<WorkspacePatch, 'tags' | 'protected' | 'favourite'>,
): Promise<void> {
  const title = t('Marking {0}', names(workspaces.map(({ label }) => label)));
  await runner.run(title, async ({ client, signal }) => {
    for (const { name } of workspaces) {
      const take = store.awaitWorkspace(name);
      take(await client.call('workspaces.update', { params: { name }, body, signal }));
    }
  });
}
