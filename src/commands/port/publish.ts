import * as vscode from 'vscode';
import type { PublishedPort } from '../../api';
import { parsePort } from '../../api/rules/ports';
import type { WorkspaceRow } from '../../providers/trees/rows';
import type { Handler, Services } from '../command';
import type { CommandId } from '../../ui/contributions/commands';
import { ask } from '../input';
import { changePorts, offersRebuild } from './change';
import { showInformationMessage } from '../../ui/messages';

const { t } = vscode.l10n;

/** Makes a port inside reachable on 127.0.0.1 of this machine; live in a microVM, with a rebuild in a container. */
export const publishPort =
  (services: Pick<Services, 'targets' | 'runner' | 'store'>): Handler =>
  async (target) => {
    const { name, label, spec } = await services.targets.workspace(target, {
      eligible: () => true,
      placeHolder: t('Workspace that publishes a port'),
      none: t('There is no workspace.'),
    });
    const text = await ask({
      title: t('Publish a Port of {0}', label),
      prompt: t(
        'Port inside the workspace, e.g. 8080, where a program listens on all addresses; or a port of this machine and the port inside, e.g. 18080:8080',
      ),
      placeHolder: t('8080, or 18080:8080'),
      validate: (typed) => problemOf(typed, spec.ports ?? []),
    });
    const port = parsePort(text.trim());
    if (port === undefined) {
      return;
    }
    const title = t('Publishing port {0} of {1}', port.guest, label);
    const outcome = await changePorts(services, title, name, (ports) => [...ports, port]);
    if (outcome.kind !== 'done' || offersRebuild(outcome.value.workspace)) {
      return;
    }
    const { before, workspace } = outcome.value;
    const added = workspace.spec.ports?.find(
      ({ host, guest }) => guest === port.guest && !before.some((each) => each.host === host),
    );
    if (added?.host !== undefined) {
      await showAddress(label, { type: 'published', workspace: name, host: added.host, guest: port.guest });
    }
  };

function problemOf(typed: string, published: readonly PublishedPort[]): string | undefined {
  const port = parsePort(typed.trim());
  if (port === undefined) {
    return t('Enter a port, e.g. 8080, or two ports, e.g. 18080:8080, of at most 65535.');
  }
  return published.some(({ guest }) => guest === port.guest)
    ? t('Port {0} is published already.', port.guest)
    : undefined;
}

/** With what else can be done with its row. */
async function showAddress(label: string, row: WorkspaceRow & { type: 'published' }): Promise<void> {
  const commands: ReadonlyMap<string, CommandId> = new Map([
    [t('Open in Browser'), 'berth.port.open'],
    [t('Copy Address'), 'berth.port.copyAddress'],
  ]);
  const message = t('Port {0} of {1} is reached at {2}.', row.guest, label, `127.0.0.1:${row.host}`);
  const command = commands.get((await showInformationMessage(message, ...commands.keys())) ?? '');
  if (command !== undefined) {
    await vscode.commands.executeCommand(command, row);
  }
}
