import * as vscode from 'vscode';
import type { Handler, Services } from '../../command';
import { remoteSide } from '../../this-side';
import { showInStatusBar } from '../../../ui/pick';

const { t } = vscode.l10n;

/** An argument as a POSIX shell reads it. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, `'\\''`)}'`;

/** Copies a command that logs in from any terminal of this machine. */
export const copySshCommand =
  (services: Pick<Services, 'targets' | 'runner' | 'context'>): Handler =>
  async (target) => {
    const { targets, runner } = services;
    const { name, label } = await targets.workspace(target, {
      eligible: () => true,
      placeHolder: t('Workspace to log in to'),
      none: t('There is no workspace.'),
    });
    await runner.run(t('SSH command of {0}', label), async ({ client }) => {
      const { command } = await client.call('workspaces.ssh', { params: { name } });
      await vscode.env.clipboard.writeText(command.map(quoted).join(' '));
      const side = remoteSide(services);
      showInStatusBar(
        side === undefined
          ? t('Copied the SSH command of {0}.', label)
          : t('Copied the SSH command of {0}, for terminals of the remote side ({1}).', label, side),
        4_000,
      );
    });
  };
