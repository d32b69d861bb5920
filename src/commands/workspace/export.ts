import { homedir } from 'node:os';
import * as vscode from 'vscode';
import { isUsable } from '../../api/rules/lifecycle';
import { resultOf } from '../../api/rules/results';
import { exportToFile } from '../../client/workspace-file';
import type { Task } from '../../ui/runner';
import { Cancelled } from '../../ui/runner';
import type { Handler, Services } from '../command';
import { reportEnd } from './report-end';
import { pathOf, workspaceFiles } from './workspace-files';

const { t } = vscode.l10n;

/** Writes all of a workspace to one file, which is there when it is whole. The workspace goes on meanwhile. */
export const exportWorkspace = ({
  targets,
  runner,
  log,
  context,
}: Pick<Services, 'targets' | 'runner' | 'log' | 'context'>): Handler => {
  // Other work goes on in the engine when the window closes: a file that nobody writes on does not.
  const closing = new AbortController();
  context.subscriptions.push({ dispose: () => closing.abort() });
  return async (target) => {
    const { name, label } = await targets.workspace(target, {
      eligible: ({ state }) => isUsable('fork', state),
      placeHolder: t('Workspace to export'),
      none: t('No workspace can be exported.'),
    });
    const chosen = await vscode.window.showSaveDialog({
      defaultUri: vscode.Uri.joinPath(vscode.Uri.file(homedir()), `${name}.berth`),
      filters: workspaceFiles(),
      title: t('Export {0}', label),
      saveLabel: t('Export'),
    });
    if (chosen === undefined) {
      throw new Cancelled();
    }
    const path = pathOf(chosen);
    const outcome = await runner.run(t('Exporting {0}', label), (task) =>
      writeFile(task, name, path, closing.signal),
    );
    if (outcome.kind === 'done') {
      const { leftOut } = resultOf(outcome.value, 'workspace.export');
      const missing = leftOut.map((what) => t('Not in the file: {0}', what));
      void reportEnd(log, t('Exported {0} to {1}', label, path), outcome.value.warnings, missing);
    }
  };
};

/** The dialog has asked whether a file that is there is replaced. */
function writeFile(
  task: Task,
  name: string,
  path: string,
  closing: AbortSignal,
): ReturnType<typeof exportToFile> {
  const { client, signal } = task;
  const follow = async (id: string): Promise<void> => {
    await task.follow(await client.call('operations.get', { params: { id } }));
  };
  return exportToFile(client, name, path, {
    signal: AbortSignal.any([signal, closing]),
    force: true,
    // Shows how far it is; how it ends the file says.
    begun: (id) => void follow(id).catch(() => undefined),
  });
}
