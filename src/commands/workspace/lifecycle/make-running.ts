import * as vscode from 'vscode';
import type { Workspace } from '../../../api';
import { wakingVerb } from '../../../api/rules/lifecycle';
import { wake } from '../../../client/wake';
import { runVerb, type VerbServices } from './verb';

const { t } = vscode.l10n;

/** Makes it run for a command that needs it running, which is an explicit wish; false: it does not, and that was said. */
export async function isMadeRunning(
  services: Pick<VerbServices, 'runner' | 'store'>,
  workspace: Workspace,
): Promise<boolean> {
  if (workspace.state === 'running') {
    return true;
  }
  const verb = wakingVerb(workspace.state);
  if (verb !== undefined) {
    return (await runVerb(services, verb, [workspace])).kind === 'done';
  }
  const outcome = await services.runner.run(t('Starting {0}', workspace.label), async (task) => {
    const underWay = await wake(task.client, workspace);
    await (underWay && task.follow(underWay));
  });
  return outcome.kind === 'done';
}
