/** The Workspaces view's rows: drawn from the store, refreshed row by row. */
import * as vscode from 'vscode';
import type { RuntimeKind, Workspace } from '../../api';
import type { EngineLink } from '../engine-link';
import { choice, setting } from '../settings';
import { DisposableList } from '../signal';
import type { Store, StoreChange } from '../store';
import { runtimeWords, stateWord } from '../words';
import {
  groupBy,
  settledState,
  sortWorkspaces,
  workspaceGroup,
  type WorkspaceGrouping,
  type WorkspaceOrder,
} from './arrange';
import { RowCache, rowId, type WorkspaceRow } from './rows';
import {
  groupItem,
  mountItem,
  operationItem,
  portItem,
  problemItem,
  publishedItem,
  workspaceItem,
} from './workspace-item';
import { workspaceTooltip } from './workspace-tooltip';

/** Beyond this many changed rows one refresh of all is cheaper. */
const manyRows = 50;
/** A hover waits at most so long for the usage figures; then it shows without. */
const statsTimeoutMs = 2_500;

export class WorkspacesTree implements vscode.TreeDataProvider<WorkspaceRow>, vscode.Disposable {
  private readonly rows = new RowCache<WorkspaceRow>();
  private readonly owned = new DisposableList();
  private readonly emitter = new vscode.EventEmitter<WorkspaceRow | WorkspaceRow[] | undefined>();
  readonly onDidChangeTreeData = this.emitter.event;
  private drawnOrder = '';

  constructor(
    private readonly store: Store,
    private readonly link: EngineLink,
  ) {
    this.owned.add(this.emitter);
    this.owned.add(store.onDidChange((change) => this.refresh(change)));
    this.owned.add(
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('berth.workspaces')) {
          this.emitter.fire(undefined);
        }
      }),
    );
  }

  dispose(): void {
    this.owned.dispose();
  }

  getTreeItem(row: WorkspaceRow): vscode.TreeItem {
    switch (row.type) {
      case 'group':
        return groupItem(this.groupLabel(row.key), rowId(row), this.members(row.key).length);
      case 'workspace':
        return workspaceItem(row, this.store, setting('workspaces.description', []));
      case 'problem':
        return problemItem(row, this.store);
      case 'operation':
        return operationItem(row, this.store);
      case 'port':
        return portItem(row, this.store);
      case 'published':
        return publishedItem(row, this.store);
      case 'mount':
        return mountItem(row, this.store);
    }
  }

  getChildren(row?: WorkspaceRow): WorkspaceRow[] {
    if (row === undefined) {
      return this.roots().map((each) => this.rows.intern(each));
    }
    if (row.type === 'group') {
      return this.members(row.key).map(({ name }) => this.rows.intern({ type: 'workspace', name }));
    }
    const workspace = row.type === 'workspace' ? this.store.workspace(row.name) : undefined;
    return workspace === undefined ? [] : this.children(workspace).map((each) => this.rows.intern(each));
  }

  getParent(row: WorkspaceRow): WorkspaceRow | undefined {
    if (row.type === 'group') {
      return undefined;
    }
    if (row.type !== 'workspace') {
      return this.rows.intern({ type: 'workspace', name: row.workspace });
    }
    const workspace = this.store.workspace(row.name);
    const key = workspace === undefined ? '' : workspaceGroup(workspace, this.grouping);
    return key === '' ? undefined : this.rows.intern({ type: 'group', key });
  }

  async resolveTreeItem(
    item: vscode.TreeItem,
    row: WorkspaceRow,
    token: vscode.CancellationToken,
  ): Promise<vscode.TreeItem> {
    const workspace = row.type === 'workspace' ? this.store.workspace(row.name) : undefined;
    if (workspace !== undefined) {
      const stats = workspace.state === 'running' ? await this.stats(workspace.name, token) : undefined;
      item.tooltip = workspaceTooltip(workspace, this.store.volume(workspace.homeVolume), stats);
    }
    return item;
  }

  /** The row of a workspace, for `reveal`. */
  rowOf(name: string): WorkspaceRow {
    return this.rows.intern({ type: 'workspace', name });
  }

  private async stats(name: string, token: vscode.CancellationToken) {
    const timeout = AbortSignal.timeout(statsTimeoutMs);
    const cancelled = new AbortController();
    const listening = token.onCancellationRequested(() => cancelled.abort());
    try {
      const client = await this.link.client();
      const signal = AbortSignal.any([timeout, cancelled.signal]);
      return await client.call('workspaces.stats', { params: { name }, signal });
    } catch {
      // Usage is an extra: the panel shows without it.
      return undefined;
    } finally {
      listening.dispose();
    }
  }

  private get grouping(): WorkspaceGrouping {
    return choice<WorkspaceGrouping>('workspaces.groupBy', ['none', 'state', 'runtime', 'image']);
  }

  private sorted(): Workspace[] {
    return sortWorkspaces(
      this.store.workspaces,
      choice<WorkspaceOrder>('workspaces.sortBy', ['name', 'state', 'lastUsed', 'created']),
    );
  }

  private members(key: string): Workspace[] {
    return this.sorted().filter((workspace) => workspaceGroup(workspace, this.grouping) === key);
  }

  private roots(): WorkspaceRow[] {
    const sorted = this.sorted();
    this.drawnOrder = this.orderOf(sorted);
    if (this.grouping === 'none') {
      return sorted.map(({ name }) => ({ type: 'workspace', name }));
    }
    const groups = groupBy(sorted, (workspace) => workspaceGroup(workspace, this.grouping));
    return [...groups.keys()].map((key) => ({ type: 'group', key }));
  }

  private orderOf(sorted: readonly Workspace[]): string {
    return sorted
      .map((workspace) => `${workspaceGroup(workspace, this.grouping)}/${workspace.name}`)
      .join(' ');
  }

  private groupLabel(key: string): string {
    if (this.grouping === 'state') {
      const member = this.members(key)[0];
      return member === undefined ? key : stateWord(settledState(member.state));
    }
    if (this.grouping === 'runtime') {
      return runtimeWords(key as RuntimeKind).plural;
    }
    return key;
  }

  private children(workspace: Workspace): WorkspaceRow[] {
    const name = workspace.name;
    const problems = workspace.warnings.length + (workspace.problem === undefined ? 0 : 1);
    const mount = (volume: string, target: string, readOnly = false): WorkspaceRow => ({
      type: 'mount',
      workspace: name,
      volume,
      target,
      readOnly,
    });
    return [
      ...Array.from({ length: problems }, (_, index): WorkspaceRow => ({
        type: 'problem',
        workspace: name,
        index,
      })),
      ...this.store.runningOperations
        .filter((operation) => operation.workspace === name)
        .map(({ id }): WorkspaceRow => ({ type: 'operation', workspace: name, id })),
      { type: 'port', workspace: name },
      ...(workspace.spec.ports ?? []).flatMap(({ host, guest }): WorkspaceRow[] =>
        host === undefined ? [] : [{ type: 'published', workspace: name, host, guest }],
      ),
      mount(workspace.homeVolume, '/home/workspace'),
      ...(workspace.dockerVolume === undefined ? [] : [mount(workspace.dockerVolume, '/var/lib/docker')]),
      ...(workspace.spec.mounts ?? []).map(({ source, target, readOnly }) => mount(source, target, readOnly)),
    ];
  }

  private refresh(change: StoreChange): void {
    if (change.all || this.orderOf(this.sorted()) !== this.drawnOrder || change.workspaces.size > manyRows) {
      this.rows.drop((row) => row.type === 'workspace' && this.store.workspace(row.name) === undefined);
      this.emitter.fire(undefined);
      return;
    }
    const changed = [...change.workspaces].map((name) => this.rows.find(`workspace:${name}`));
    const found = changed.filter((row) => row !== undefined);
    if (found.length > 0) {
      this.emitter.fire(found);
    }
  }
}
