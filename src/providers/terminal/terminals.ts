/** Terminals in workspaces: opened by command or as a profile, one pseudoterminal each. */
import * as vscode from 'vscode';
import { terminalProfileId } from '../../ui/ids';
import type { EngineLink } from '../../ui/engine-link';
import { DisposableList } from '../../ui/signal';
import type { Store } from '../../ui/store';
import { sortWorkspaces } from '../trees/arrange';
import { WorkspacePty } from './pty';
import { showInformationMessage } from '../../ui/messages';
import { pickOne } from '../../ui/pick';

const { t } = vscode.l10n;

export class WorkspaceTerminals implements vscode.Disposable, vscode.TerminalProfileProvider {
  private readonly owned = new DisposableList();

  constructor(
    private readonly link: EngineLink,
    private readonly store: Store,
  ) {
    this.owned.add(vscode.window.registerTerminalProfileProvider(terminalProfileId, this));
  }

  dispose(): void {
    this.owned.dispose();
  }

  /** `folder`: an absolute path inside, where the shell begins; the home when it is left out. */
  open(name: string, folder?: string): vscode.Terminal {
    return vscode.window.createTerminal(this.options(name, folder));
  }

  /** The profile in the terminal's drop-down: the only running workspace, or the one that is picked. */
  async provideTerminalProfile(): Promise<vscode.TerminalProfile | undefined> {
    await this.link.client();
    const running = sortWorkspaces(
      this.store.workspaces.filter(({ state }) => state === 'running'),
      'lastUsed',
    );
    if (running.length === 0) {
      void showInformationMessage(t('No workspace is running.'));
      return undefined;
    }
    const names = running.map(({ name, label, spec }) => ({ label, description: spec.image, name }));
    const chosen = names.length === 1 ? names[0] : await pickOne(names, { placeHolder: t('Workspace') });
    return chosen && new vscode.TerminalProfile(this.options(chosen.name));
  }

  private options(name: string, folder?: string): vscode.ExtensionTerminalOptions {
    const label = this.store.workspace(name)?.label ?? name;
    return {
      name: label,
      iconPath: new vscode.ThemeIcon('vm-running'),
      pty: new WorkspacePty(name, this.link, this.store, folder),
      isTransient: true,
    };
  }
}
