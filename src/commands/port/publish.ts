import * as vscode from 'vscode';
import { parsePort } from '../../api/ports';
import type { Handler, Services } from '../command';
import { ask } from '../input';
import { changePorts, offersRebuild } from './change';

const { t } = vscode.l10n;

/** Makes a port inside reachable on 127.0.0.1 of this machine; live in a microVM, with a rebuild in a container. */
export const publishPort =
  (services: Pick<Services, 'targets' | 'runner' | 'store'>): Handler =>
  async (target) => {
    const { name, label } = await services.targets.workspace(target, {
      eligible: () => true,
      placeHolder: t('Workspace that publishes a port'),
      none: t('There is no workspace.'),
    });
    const text = await ask({
      title: t('Publish a Port of {0}', label),
      prompt: t(
        'Port inside, where a program listens on all addresses; after the one of this machine, if that matters',
      ),
      placeHolder: t('8080, or 18080:8080'),
      validate: (typed) =>
        parsePort(typed.trim()) === undefined
          ? t('A port like 8080, or two like 18080:8080, of at most 65535.')
          : undefined,
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
      await tellAddress(label, port.guest, `127.0.0.1:${added.host}`);
    }
  };

async function tellAddress(label: string, guest: number, address: string): Promise<void> {
  const [open, copy] = [t('Open in Browser'), t('Copy Address')];
  const message = t('Port {0} of {1} is reached at {2}.', guest, label, address);
  const chosen = await vscode.window.showInformationMessage(message, open, copy);
  if (chosen === open) {
    await vscode.env.openExternal(vscode.Uri.parse(`http://${address}/`));
  } else if (chosen === copy) {
    await vscode.env.clipboard.writeText(address);
  }
}
