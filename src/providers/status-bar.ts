/** The status bar entry: the workspace this window is in, or how many run. Absent until the engine was used. */
import * as vscode from 'vscode';
import type { Workspace } from '../api';
import { snapshotOfFiles, workspaceOfRoot } from '../api/rules/root-files';
import { fileScheme, viewIds } from '../ui/ids';
import type { EngineLink } from '../ui/engine-link';
import { DisposableList } from '../ui/signal';
import type { Store } from '../ui/store';
import { isInTransition } from '../api/rules/lifecycle';
import { plainLabel } from '../ui/plain-label';
import { engineSentence } from '../ui/operations/engine-sentences';
import { stateWord } from '../ui/words';
import { placeWords } from './files/place-words';
import { isAllVolumes, placeOf } from './files/volume-uri';

const { t } = vscode.l10n;
const aliasPrefix = 'ssh-remote+berth-';

/** The workspace that a remote window shows, by its authority. */
export function workspaceOfWindow(
  folders: readonly vscode.WorkspaceFolder[] | undefined,
): string | undefined {
  const authority = folders?.[0]?.uri.authority;
  return authority?.startsWith(aliasPrefix) === true ? authority.slice(aliasPrefix.length) : undefined;
}

/** What the entry says in a window of this workspace. */
export function workspaceText({ label, state }: Pick<Workspace, 'label' | 'state'>): {
  text: string;
  tooltip: string;
} {
  const icon = isInTransition(state) ? 'sync~spin' : 'vm-running';
  return {
    text: `$(${icon}) ${plainLabel(label)}`,
    tooltip: t('Workspace {0} is {1}', label, stateWord(state)),
  };
}

/** What the entry says in a window whose first folder is of a volume, a snapshot or a workspace; undefined in any other. */
export function folderText(
  folders: readonly vscode.WorkspaceFolder[] | undefined,
): { text: string; tooltip: string } | undefined {
  const uri = folders?.[0]?.uri;
  if (uri?.scheme !== fileScheme || isAllVolumes(uri)) {
    return undefined;
  }
  const { volume, path } = placeOf(uri);
  const isSnapshot = snapshotOfFiles(volume) !== undefined;
  const named = isSnapshot ? (uri.path.split('/')[1] ?? '') : placeWords(volume);
  const where = path === '/' ? named : `${named}:${path}`;
  if (isSnapshot) {
    return { text: `$(history) ${plainLabel(where)}`, tooltip: t('Snapshot {0}, read-only', where) };
  }
  return workspaceOfRoot(volume) === undefined
    ? { text: `$(database) ${plainLabel(where)}`, tooltip: t('Files of the volume {0}', where) }
    : { text: `$(vm) ${plainLabel(where)}`, tooltip: where };
}

export class StatusBar implements vscode.Disposable {
  private readonly owned = new DisposableList();
  private readonly item: vscode.StatusBarItem;

  constructor(
    private readonly link: EngineLink,
    private readonly store: Store,
  ) {
    this.item = this.owned.add(
      vscode.window.createStatusBarItem('berth.status', vscode.StatusBarAlignment.Left, 10),
    );
    this.item.name = 'Berth';
    this.item.command = `${viewIds.workspaces}.focus`;
    this.owned.add(link.onDidChange(() => this.update()));
    this.owned.add(store.onDidChange(() => this.update()));
  }

  dispose(): void {
    this.owned.dispose();
  }

  private update(): void {
    const { kind } = this.link.state;
    if (kind === 'idle') {
      this.item.hide();
      return;
    }
    const own = workspaceOfWindow(vscode.workspace.workspaceFolders);
    const text = kind === 'ready' ? this.ready(own) : undefined;
    this.item.text = text?.text ?? (kind === 'starting' ? '$(sync~spin) Berth' : '$(warning) Berth');
    this.item.tooltip = text?.tooltip ?? this.notReady();
    this.item.accessibilityInformation = { label: t('Berth: {0}', this.item.tooltip) };
    this.item.show();
  }

  private ready(own: string | undefined): { text: string; tooltip: string } {
    const workspace = own === undefined ? undefined : this.store.workspace(own);
    if (workspace !== undefined) {
      return workspaceText(workspace);
    }
    const folder = folderText(vscode.workspace.workspaceFolders);
    if (folder !== undefined) {
      return folder;
    }
    const all = this.store.workspaces;
    const running = all.filter(({ state }) => state === 'running').length;
    const busy = all.some(({ state }) => isInTransition(state));
    return {
      text: `$(${busy ? 'sync~spin' : 'vm'}) ${running}`,
      tooltip: t('{0} of {1} workspaces run', running, all.length),
    };
  }

  private notReady(): string {
    const state = this.link.state;
    if (state.kind === 'failed') {
      return engineSentence(state.error.message);
    }
    return state.kind === 'starting' ? t('The engine is starting') : t('The engine is stopped');
  }
}
