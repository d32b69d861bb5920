/** The Workspaces view's rows: drawn from the store, refreshed row by row. */
import { homeFolder } from '../../api/rules/home-volume';
import * as vscode from 'vscode';
import type { RuntimeKind, Workspace } from '../../api';
import { goalOf, isUsable } from '../../api/rules/lifecycle';
import { rootFilesOf } from '../../api/rules/root-files';
import { baseName, parentPath } from '../../api/rules/volume-path';
import { isFixedRoot, lockedRoot } from '../files/fixed-roots';
import type { EngineLink } from '../../ui/engine-link';
import { choice, setting } from '../../ui/settings';
import { DisposableList } from '../../ui/signal';
import type { FilesChange, Store, StoreChange } from '../../ui/store';
import { runtimeWords, stateWord } from '../../ui/words';
import {
  groupBy,
  sortWorkspaces,
  workspaceGroup,
  type WorkspaceGrouping,
  type WorkspaceOrder,
} from './arrange';
import { DrawnRows } from './drawn-rows';
import { isShown, type WorkspaceFilter } from './filter';
import { FolderListing } from './folder-listing';
import { Folds } from './folds';
import { GatheredRows } from './gathered-rows';
import { InsideListing } from './inside-listing';
import { operationItem, stepItem, stepRows } from './operation-item';
import { RowCache, rowId, type FileRow, type Inside, type WorkspaceRow } from './rows';
import { entryItem, fileTooltip } from './volume-item';
import {
  groupItem,
  mountItem,
  portItem,
  problemItem,
  publishedItem,
  rootItem,
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
  private readonly listing: FolderListing;
  private readonly inside: InsideListing;
  private readonly stale = this.owned.add(new GatheredRows<WorkspaceRow>((rows) => this.emitter.fire(rows)));
  private readonly drawn = this.owned.add(
    new DrawnRows<WorkspaceRow>(
      (row) => this.itemOf(row),
      (rows) => this.emitter.fire(rows),
    ),
  );
  readonly folds = new Folds();
  private filter: WorkspaceFilter | undefined;
  private drawnOrder = '';

  constructor(
    private readonly store: Store,
    private readonly link: EngineLink,
  ) {
    this.listing = new FolderListing(link);
    this.inside = new InsideListing(link, store, this.listing);
    this.owned.add(this.emitter);
    this.owned.add(store.onDidChange((change) => this.refresh(change)));
    this.owned.add(store.onDidChangeFiles((change) => this.filesChanged(change)));
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
    const item = this.folds.apply(row, this.itemOf(row));
    this.drawn.drawn(row, item);
    return item;
  }

  private itemOf(row: WorkspaceRow): vscode.TreeItem {
    switch (row.type) {
      case 'group':
        return groupItem(this.groupLabel(row.key), rowId(row), this.members(row.key).length);
      case 'workspace':
        return workspaceItem(row, this.store, setting('workspaces.description', []));
      case 'problem':
        return problemItem(row, this.store);
      case 'operation':
        return operationItem(row, this.store);
      case 'step':
        return stepItem(row, this.store);
      case 'port':
        return portItem(row, this.store);
      case 'published':
        return publishedItem(row, this.store);
      case 'mount':
        return mountItem(row, this.store);
      case 'root':
        return rootItem(row, {
          isFixed: isFixedRoot(this.store, rootFilesOf(row.workspace)),
          isLocked: lockedRoot(this.store, rootFilesOf(row.workspace)) !== undefined,
        });
      case 'file':
      case 'more':
      case 'notice':
        return entryItem(row);
    }
  }

  getChildren(row?: WorkspaceRow): WorkspaceRow[] | Promise<WorkspaceRow[]> {
    if (row === undefined) {
      return this.roots().map((each) => this.rows.intern(each));
    }
    if (row.type === 'group') {
      return this.members(row.key).map(({ name }) => this.rows.intern({ type: 'workspace', name }));
    }
    if (row.type === 'operation') {
      return stepRows(row, this.store).map((each) => this.rows.intern(each));
    }
    const folder = insideOf(row);
    if (folder !== undefined) {
      return this.files(folder);
    }
    const workspace = row.type === 'workspace' ? this.store.workspace(row.name) : undefined;
    return workspace === undefined ? [] : this.children(workspace).map((each) => this.rows.intern(each));
  }

  getParent(row: WorkspaceRow): WorkspaceRow | undefined {
    if (row.type === 'group') {
      return undefined;
    }
    if (row.type === 'file' || row.type === 'more' || row.type === 'notice') {
      return this.folderAbove(row);
    }
    if (row.type === 'step') {
      return this.rows.find(`operation:${row.operation}`);
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
    } else if (row.type === 'file') {
      item.tooltip = fileTooltip(row);
    }
    return item;
  }

  /** One page more of a folder. */
  loadMore(row: Extract<WorkspaceRow, { type: 'more' }>): void {
    this.listing.showMore(row.volume, row.path);
    this.emitter.fire(this.folderAbove(row));
  }

  /** Shows those alone; undefined: all. */
  filterBy(filter: WorkspaceFilter | undefined): void {
    this.filter = filter;
    this.emitter.fire(undefined);
  }

  /** How many it shows, of how many there are; undefined where it shows all. */
  get shown(): { filter: WorkspaceFilter; count: number; total: number } | undefined {
    const { filter } = this;
    const total = this.store.workspaces.length;
    return filter && { filter, count: this.sorted().length, total };
  }

  /** Lists again what is open. */
  refreshAll(): void {
    this.listing.reset();
    this.emitter.fire(undefined);
  }

  /** The row of a workspace, for `reveal`. */
  rowOf(name: string): WorkspaceRow {
    return this.rows.intern({ type: 'workspace', name });
  }

  rowOfFile(row: FileRow): WorkspaceRow {
    return this.rows.intern(row);
  }

  private async files(folder: Inside): Promise<WorkspaceRow[]> {
    const rows = await this.inside.rows(folder);
    return rows
      .filter((row) => row.type === 'file' || row.type === 'more' || row.type === 'notice')
      .map((row) => this.rows.intern(row));
  }

  /** A file's folder; for the others, which stand for a folder, that one. */
  private folderAbove({
    type,
    inside,
  }: Extract<WorkspaceRow, { inside?: Inside }>): WorkspaceRow | undefined {
    if (inside === undefined) {
      return undefined;
    }
    const path = type === 'file' ? parentPath(inside.path) : inside.path;
    return this.rows.find(path === '/' ? `root:${inside.workspace}` : `file:${inside.workspace}@${path}`);
  }

  /** The same folder may show in several places. */
  private filesChanged({ volume, changes }: FilesChange): void {
    const shown = changes.filter(({ path }) => !baseName(path).startsWith('.berth-'));
    const folders = new Set(shown.map(({ path }) => parentPath(path)));
    for (const row of this.rows.all()) {
      const isRoot = row.type === 'root' && rootFilesOf(row.workspace) === volume && folders.has('/');
      if (isRoot || (row.type === 'file' && row.volume === volume && folders.has(row.path))) {
        this.stale.add(row);
      }
    }
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
      this.store.workspaces.filter((workspace) => isShown(workspace, this.filter)),
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
      return member === undefined ? key : stateWord(goalOf(member.state));
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
      ...(hasFiles(workspace) ? [{ type: 'root', workspace: name } as const] : []),
      mount(workspace.homeVolume, homeFolder),
      ...(workspace.dockerVolume === undefined ? [] : [mount(workspace.dockerVolume, '/var/lib/docker')]),
      ...(workspace.spec.mounts ?? []).map(({ source, target, readOnly }) => mount(source, target, readOnly)),
    ];
  }

  private refresh(change: StoreChange): void {
    const names = change.all ? this.store.workspaces.map(({ name }) => name) : [...change.workspaces];
    const workspaces = names
      .map((name) => this.rows.find(`workspace:${name}`))
      .filter((row) => row !== undefined);
    const changed = [...workspaces, ...this.mountsOf(change)];
    this.drawn.changed(changed);
    if (change.all || this.orderOf(this.sorted()) !== this.drawnOrder || change.workspaces.size > manyRows) {
      this.rows.drop((row) => this.isGone(row));
      this.emitter.fire(undefined);
      return;
    }
    if (changed.length > 0) {
      this.emitter.fire(changed);
    }
  }

  /** The rows that say how much is in a volume which changed, where their workspace did not. */
  private mountsOf({ volumes, workspaces }: StoreChange): WorkspaceRow[] {
    if (volumes.size === 0) {
      return [];
    }
    return [...this.rows.all()].filter(
      (row) => row.type === 'mount' && volumes.has(row.volume) && !workspaces.has(row.workspace),
    );
  }

  private isGone(row: WorkspaceRow): boolean {
    if (row.type === 'operation' || row.type === 'step') {
      return this.store.operation(row.type === 'step' ? row.operation : row.id) === undefined;
    }
    const name = row.type === 'workspace' ? row.name : insideOf(row)?.workspace;
    return name !== undefined && this.store.workspace(name) === undefined;
  }
}

/** Those of a stopped workspace can be read, not changed. */
function hasFiles({ state }: Workspace): boolean {
  return isUsable('rootFiles', state);
}

function insideOf(row: WorkspaceRow): Inside | undefined {
  if (row.type === 'root') {
    return { workspace: row.workspace, path: '/', readOnly: false };
  }
  return row.type === 'file' ? row.inside : undefined;
}
