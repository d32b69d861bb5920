/** Changing which ports a workspace publishes, and what is said of it. */
import * as vscode from 'vscode';
import type { PublishedPort, Workspace } from '../../api';
import type { CommandId } from '../../ui/contributions/commands';
import type { Services } from '../command';
import type { Outcome } from '../../ui/runner';
import { showInformationMessage } from '../../ui/messages';

const { t } = vscode.l10n;

export interface PortChange {
  before: PublishedPort[];
  workspace: Workspace;
}

/** `edit` gets the ports that there are now, and answers those that are to be. */
export function changePorts(
  { runner, store }: Pick<Services, 'runner' | 'store'>,
  title: string,
  name: string,
  edit: (ports: PublishedPort[]) => PublishedPort[],
): Promise<Outcome<PortChange>> {
  return runner.run(title, async ({ client, signal }) => {
    const params = { name };
    const before = (await client.call('workspaces.get', { params, signal })).spec.ports ?? [];
    const body = { ports: edit(before) };
    const take = store.awaitWorkspace(name);
    const workspace = await client.call('workspaces.update', { params, body, signal });
    take(workspace);
    return { before, workspace };
  });
}

/** True when a container must be rebuilt first; that is offered. */
export function offersRebuild({ name, label, warnings }: Workspace): boolean {
  if (!warnings.some(({ code }) => code === 'ports')) {
    return false;
  }
  const rebuild: CommandId = 'berth.workspace.rebuild';
  const button = t('Rebuild…');
  const message = t('The ports of {0} change with its next rebuild, which keeps all volumes.', label);
  void showInformationMessage(message, button).then(async (chosen) => {
    if (chosen === button) {
      await vscode.commands.executeCommand(rebuild, name);
    }
  });
  return true;
}
