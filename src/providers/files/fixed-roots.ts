/**
 * The root file systems of workspaces: they can be read, and changed only while the workspace runs and the user has allowed
 * it in this window. VS Code asks once whether a file can be written; a change of that has to be reported.
 */
import * as vscode from 'vscode';
import { showInformationMessage } from '../../ui/messages';
import { snapshotOfFiles, workspaceOfRoot } from '../../api/rules/root-files';
import type { Disposable } from '../../ui/signal';
import type { Store } from '../../ui/store';

const { t } = vscode.l10n;

export type KnownRoots = Pick<Store, 'workspace' | 'allowsRootChanges'>;

/** Whether that is a snapshot, or the root file system of a workspace that does not run, or that is not to be changed yet. */
export function isFixedRoot(store: KnownRoots, volume: string): boolean {
  if (snapshotOfFiles(volume) !== undefined) {
    return true;
  }
  const name = workspaceOfRoot(volume);
  const workspace = name === undefined ? undefined : store.workspace(name);
  return (
    workspace !== undefined && (workspace.state !== 'running' || !store.allowsRootChanges(workspace.name))
  );
}

/** The workspace that has that root file system, where changes only have to be allowed. */
export function lockedRoot(store: KnownRoots, volume: string): string | undefined {
  const name = workspaceOfRoot(volume);
  const isRunning = name !== undefined && store.workspace(name)?.state === 'running';
  return isRunning && !store.allowsRootChanges(name) ? name : undefined;
}

/** Why nothing of it can be changed, in one sentence. */
export function lockedWords(workspace: string): string {
  return t('Files of {0} that are in none of its volumes are read-only until you allow changes.', workspace);
}

/** Says so, with the button that leads on. */
export async function offerChanges(workspace: string): Promise<void> {
  const allow = t('Allow Changes…');
  if ((await showInformationMessage(lockedWords(workspace), allow)) === allow) {
    await vscode.commands.executeCommand('berth.workspace.allowChanges', workspace);
  }
}

export class FixedRoots implements Disposable {
  /** What was last answered, by root file system. */
  private readonly answered = new Map<string, boolean>();
  private readonly listening: Disposable;

  /** `changed`: files of that root file system became writable, or are so no longer. */
  constructor(
    private readonly store: KnownRoots & Pick<Store, 'onDidChange'>,
    private readonly changed: (volume: string) => void,
  ) {
    this.listening = store.onDidChange(() => this.compare());
  }

  /** Also remembers the answer: a later one that differs is reported. */
  has(volume: string): boolean {
    const isFixed = isFixedRoot(this.store, volume);
    if (workspaceOfRoot(volume) !== undefined) {
      this.answered.set(volume, isFixed);
    }
    return isFixed;
  }

  dispose(): void {
    this.listening.dispose();
  }

  private compare(): void {
    for (const [volume, wasFixed] of this.answered) {
      if (isFixedRoot(this.store, volume) !== wasFixed) {
        this.answered.set(volume, !wasFixed);
        this.changed(volume);
      }
    }
  }
}
