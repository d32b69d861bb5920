/** The two views: starts the engine when one is first seen, counts in the badge, knows what is selected. */
import * as vscode from 'vscode';
import { baseName, parentPath } from '../api/rules/volume-path';
import { engineSentence } from '../ui/operations/engine-sentences';
import { plainMessage } from '../ui/plain-label';
import { viewIds } from '../ui/ids';
import type { EngineLink } from '../ui/engine-link';
import { DisposableList } from '../ui/signal';
import type { Store } from '../ui/store';
import { stateWord } from '../ui/words';
import { pathIn } from './files/paths';
import { RowDecorations } from './row-decorations';
import type { ContextKeys } from './context-keys';
import type { WorkspaceFilter } from './trees/filter';
import { FocusedRows } from './trees/focused-rows';
import type { Folds } from './trees/folds';
import type { FileRow, Row, VolumeRow, WorkspaceRow } from './trees/rows';
import type { VolumesTree } from './trees/volumes-tree';
import type { WorkspacesTree } from './trees/workspaces-tree';

const { t } = vscode.l10n;
const revealTries = 10;
const revealPauseMs = 100;

export interface DropTargets {
  workspaces: vscode.TreeDragAndDropController<WorkspaceRow>;
  volumes: vscode.TreeDragAndDropController<VolumeRow>;
}

export class Views implements vscode.Disposable {
  private readonly owned = new DisposableList();
  private readonly focusedRows = new FocusedRows();
  readonly workspaces: vscode.TreeView<WorkspaceRow>;
  readonly volumes: vscode.TreeView<VolumeRow>;

  constructor(
    private readonly trees: { workspaces: WorkspacesTree; volumes: VolumesTree },
    drops: DropTargets,
    private readonly link: EngineLink,
    private readonly store: Store,
    private readonly keys: ContextKeys,
  ) {
    this.workspaces = this.owned.add(
      vscode.window.createTreeView(viewIds.workspaces, {
        treeDataProvider: trees.workspaces,
        dragAndDropController: drops.workspaces,
        canSelectMany: true,
        showCollapseAll: true,
      }),
    );
    this.volumes = this.owned.add(
      vscode.window.createTreeView(viewIds.volumes, {
        treeDataProvider: trees.volumes,
        dragAndDropController: drops.volumes,
        canSelectMany: true,
        showCollapseAll: true,
      }),
    );
    this.owned.add(new RowDecorations(store));
    this.follow(this.workspaces, trees.workspaces.folds);
    this.follow(this.volumes, trees.volumes.folds);
    this.owned.add(vscode.workspace.onDidGrantWorkspaceTrust(() => this.seen()));
    this.owned.add(store.onDidChange(() => this.count()));
  }

  dispose(): void {
    this.owned.dispose();
  }

  get areVisible(): boolean {
    return this.workspaces.visible || this.volumes.visible;
  }

  /** The rows that a key pressed in a view is meant for. */
  focused(view: 'workspaces' | 'volumes'): Promise<readonly Row[]> {
    return view === 'workspaces' ? this.focusedRows.of(this.workspaces) : this.focusedRows.of(this.volumes);
  }

  /**
   * Shows a workspace's row; quietly gives up when the tree has no such row yet. Without `focus` it leaves whoever types elsewhere
   * alone.
   */
  async revealWorkspace(name: string, { focus } = { focus: false }): Promise<void> {
    await reveal(this.workspaces, this.trees.workspaces.rowOf(name), { select: true, focus, expand: true });
  }

  /** Shows those workspaces alone, and says so; undefined: all. */
  filter(filter: WorkspaceFilter | undefined): void {
    this.trees.workspaces.filterBy(filter);
    this.keys.set('berth.isFiltered', filter !== undefined);
    this.describe();
  }

  /** Without `focus` it leaves whoever types elsewhere alone. */
  async revealVolume(name: string, { focus } = { focus: true }): Promise<void> {
    if (focus) {
      await vscode.commands.executeCommand(`${viewIds.volumes}.focus`);
    }
    const row = this.trees.volumes.rowOfVolume(name);
    await reveal(this.volumes, row, { select: true, focus, expand: true });
  }

  /** Reveals a row whose parents were listed. */
  async revealFile(row: VolumeRow): Promise<void> {
    await reveal(this.volumes, row, { select: true, focus: true, expand: true });
  }

  /** The row of a file that a renamed one has become, in the view of the old row: a list whose focused row goes has none. */
  async revealRenamed({ volume, inside, entry }: FileRow, to: string): Promise<void> {
    const name = baseName(to);
    const renamed = { type: 'file' as const, volume, path: to, entry: { ...entry, name } };
    const options = { select: true, focus: true } as const;
    if (inside === undefined) {
      await reveal(this.volumes, this.trees.volumes.rowOfFile(renamed), options);
    } else {
      const path = pathIn(parentPath(inside.path), name);
      await reveal(
        this.workspaces,
        this.trees.workspaces.rowOfFile({ ...renamed, inside: { ...inside, path } }),
        options,
      );
    }
  }

  /** Starts the engine for who looks, unless the window is untrusted or somebody stopped the engine. */
  seen(): void {
    if (this.areVisible && vscode.workspace.isTrusted && this.link.state.kind === 'idle') {
      // A failure shows as the view's welcome text.
      this.link.client().catch(() => undefined);
    }
  }

  private follow<T extends Row>(view: vscode.TreeView<T>, folds: Folds): void {
    this.owned.add(view.onDidChangeVisibility(() => this.seen()));
    this.owned.add(view.onDidExpandElement(({ element }) => folds.set(element, true)));
    this.owned.add(view.onDidCollapseElement(({ element }) => folds.set(element, false)));
  }

  /**
   * Where a container engine was looked for in vain, as the texts of empty views are fixed, and which workspaces are left out.
   */
  private describe(): void {
    const containers = this.store.drivers.find(({ runtime }) => runtime === 'container');
    const reason = containers?.available === false ? containers.message : undefined;
    const why = reason === undefined ? undefined : plainMessage(engineSentence(reason));
    const shown = this.trees.workspaces.shown;
    const filter =
      shown && t('Filter: {0}. {1} of {2} shown.', filterWords(shown.filter), shown.count, shown.total);
    setMessage(this.volumes, why);
    // A message would take the place of the buttons that help, which show while there is no workspace.
    const isEmpty = this.store.workspaces.length === 0;
    setMessage(this.workspaces, isEmpty ? filter : [filter, why].filter(Boolean).join(' ') || undefined);
    const tried = isEmpty && why !== undefined ? containers?.endpoint : undefined;
    this.workspaces.description = tried && t('nothing answers at {0}', tried);
  }

  private count(): void {
    this.describe();
    const running = this.store.workspaces.filter(({ state }) => state === 'running').length;
    this.workspaces.badge =
      running === 0
        ? undefined
        : {
            value: running,
            tooltip: running === 1 ? t('1 workspace runs') : t('{0} workspaces run', running),
          };
  }
}

/** Only where it is another one: VS Code draws the view anew. */
function setMessage(view: Pick<vscode.TreeView<unknown>, 'message'>, message: string | undefined): void {
  const { message: before } = view;
  if (before !== message) {
    view.message = message;
  }
}

function filterWords(filter: WorkspaceFilter): string {
  switch (filter.by) {
    case 'name':
      return t('name contains “{0}”', plainMessage(filter.text));
    case 'tag':
      return t('tag {0}', filter.tag);
    case 'state':
      return stateWord(filter.state);
  }
}

/**
 * VS Code rejects `reveal` while the tree is being built (TreeError), and ignores it for a row that it has not drawn yet, as one in
 * a group that is new: tried again until the row is selected, for a second or so.
 */
async function reveal<T extends Row>(
  view: Pick<vscode.TreeView<T>, 'reveal' | 'selection'>,
  row: T,
  options: { select: true; focus?: boolean; expand?: true },
): Promise<void> {
  for (let tries = 0; tries < revealTries; tries++) {
    await Promise.resolve(view.reveal(row, options)).catch(() => undefined);
    if (view.selection.includes(row)) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, revealPauseMs));
  }
}
