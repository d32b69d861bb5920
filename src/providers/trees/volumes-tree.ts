/** The Volumes view's rows: volumes from the store, files and folders from the engine when they are opened. */
import * as vscode from 'vscode';
import type { Volume } from '../../api';
import { isInTransition } from '../../api/rules/lifecycle';
import type { EngineLink, Logger } from '../../ui/engine-link';
import { baseName, parentPath } from '../../api/rules/volume-path';
import { choice } from '../../ui/settings';
import { DisposableList } from '../../ui/signal';
import type { FilesChange, Store, StoreChange } from '../../ui/store';
import {
  shownVolumes,
  sortVolumes,
  volumeGroup,
  volumeGroups,
  type VolumeGrouping,
  type VolumeOrder,
} from './arrange';
import { FolderListing } from './folder-listing';
import { Folds } from './folds';
import { GatheredRows } from './gathered-rows';
import { RowCache, rowId, type FileRow, type VolumeRow } from './rows';
import { entryItem, fileTooltip, kindWord, volumeItem, volumeTooltip } from './volume-item';
import { userItem, usersOf } from './volume-users';
import { VolumeSizes } from './volume-sizes';
import { snapshotItem, snapshotsItem, snapshotTooltip, VolumeSnapshots } from './volume-snapshots';
import { groupItem } from './workspace-item';

const { t } = vscode.l10n;

export class VolumesTree implements vscode.TreeDataProvider<VolumeRow>, vscode.Disposable {
  private readonly rows = new RowCache<VolumeRow>();
  private readonly owned = new DisposableList();
  private readonly listing: FolderListing;
  private readonly sizes: VolumeSizes;
  private readonly snapshots: VolumeSnapshots;
  private readonly emitter = new vscode.EventEmitter<VolumeRow | VolumeRow[] | undefined>();
  readonly onDidChangeTreeData = this.emitter.event;
  readonly folds = new Folds();
  /** The names in each group. */
  private drawn: ReadonlyMap<string, string> = new Map();
  private readonly stale = this.owned.add(new GatheredRows<VolumeRow>((rows) => this.emitter.fire(rows)));

  constructor(
    private readonly store: Store,
    link: EngineLink,
    log: Pick<Logger, 'warn'>,
  ) {
    this.listing = new FolderListing(link);
    this.sizes = this.owned.add(new VolumeSizes(link, store, log));
    this.snapshots = new VolumeSnapshots(link, store, log, (name) => this.snapshotsChanged(name));
    this.owned.add(this.emitter);
    this.owned.add(store.onDidChange((change) => this.refresh(change)));
    this.owned.add(store.onDidChangeFiles((change) => this.filesChanged(change)));
    this.owned.add(
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('berth.volumes')) {
          this.emitter.fire(undefined);
        }
      }),
    );
  }

  dispose(): void {
    this.owned.dispose();
  }

  getTreeItem(row: VolumeRow): vscode.TreeItem {
    return this.folds.apply(row, this.itemOf(row));
  }

  private itemOf(row: VolumeRow): vscode.TreeItem {
    switch (row.type) {
      case 'group':
        return groupItem(this.groupLabel(row.key), rowId(row), this.members(row.key).length);
      case 'volume':
        return volumeItem(row, this.store.volume(row.name), this.store.owns(row.name));
      case 'user':
        return userItem(row, this.store);
      case 'snapshots':
        return snapshotsItem(row, this.snapshots.of(row.volume), this.store.volume(row.volume));
      case 'snapshot':
        return snapshotItem(row, this.snapshots.find(row.volume, row.id), this.store.volume(row.volume));
      case 'file':
      case 'more':
      case 'notice':
        return entryItem(row);
    }
  }

  async getChildren(row?: VolumeRow): Promise<VolumeRow[]> {
    const children = await this.children(row);
    return children.map((each) => this.rows.intern(each));
  }

  getParent(row: VolumeRow): VolumeRow | undefined {
    if (row.type === 'group') {
      return undefined;
    }
    if (row.type === 'volume') {
      const volume = this.store.volume(row.name);
      const key = volume === undefined ? '' : this.groupOf(volume);
      return key === '' ? undefined : this.rows.intern({ type: 'group', key });
    }
    if (row.type === 'user' || row.type === 'snapshots') {
      return this.rowOfVolume(row.volume);
    }
    if (row.type === 'snapshot') {
      return this.rows.intern({ type: 'snapshots', volume: row.volume });
    }
    const folder = row.type === 'file' ? parentPath(row.path) : row.path;
    return folder === '/' ? this.rowOfVolume(row.volume) : this.rows.find(`file:${row.volume}:${folder}`);
  }

  resolveTreeItem(item: vscode.TreeItem, row: VolumeRow): vscode.TreeItem {
    const volume = row.type === 'volume' ? this.store.volume(row.name) : undefined;
    if (volume !== undefined) {
      item.tooltip = volumeTooltip(volume);
    } else if (row.type === 'file') {
      item.tooltip = fileTooltip(row);
    } else if (row.type === 'snapshot') {
      const snapshot = this.snapshots.find(row.volume, row.id);
      item.tooltip = snapshot && snapshotTooltip(snapshot);
    }
    return item;
  }

  rowOfVolume(name: string): VolumeRow {
    return this.rows.intern({ type: 'volume', name });
  }

  rowOfFile(row: FileRow): VolumeRow {
    return this.rows.intern(row);
  }

  /** One page more of a folder. */
  loadMore(row: Extract<VolumeRow, { type: 'more' }>): void {
    this.listing.showMore(row.volume, row.path);
    this.emitter.fire(this.folderRow(row.volume, row.path));
  }

  /** Lists again what is open. */
  refreshAll(): void {
    this.listing.reset();
    this.snapshots.renewAll();
    this.emitter.fire(undefined);
  }

  private async children(row?: VolumeRow): Promise<VolumeRow[]> {
    switch (row?.type) {
      case undefined:
        return this.roots();
      case 'group':
        return this.members(row.key).map(({ name }) => ({ type: 'volume', name }));
      case 'volume':
        return this.isGoing(row.name) ? [] : this.opened(row.name);
      case 'file':
        return this.isGoing(row.volume)
          ? []
          : this.listing.rows(row.volume, row.path, this.isChanging(row.volume));
      case 'snapshots':
        return this.snapshots.of(row.volume).map(({ id }) => ({ type: 'snapshot', volume: row.volume, id }));
      default:
        return [];
    }
  }

  private async opened(volume: string): Promise<VolumeRow[]> {
    const rows = await this.listing.rows(volume, '/', this.isChanging(volume));
    if (rows[0]?.type !== 'notice') {
      this.sizes.opened(volume);
    }
    this.snapshots.opened(volume);
    const kept: VolumeRow[] = this.snapshots.of(volume).length > 0 ? [{ type: 'snapshots', volume }] : [];
    return [...this.users(volume), ...kept, ...rows];
  }

  private users(name: string): VolumeRow[] {
    const volume = this.store.volume(name);
    const users = volume === undefined ? [] : usersOf(volume, this.store.workspaces);
    return users.map((user) => ({ type: 'user', volume: name, name: user.name }));
  }

  /** Whoever looks into a volume holds it: one that is about to be deleted is left alone. */
  private isGoing(name: string): boolean {
    const owner = this.store.volume(name)?.workspace;
    return owner !== undefined && this.store.workspace(owner)?.state === 'deleting';
  }

  /** Between hands: its workspace starts or stops, and whoever reads its files changes with it. */
  private isChanging(name: string): boolean {
    const volume = this.store.volume(name);
    const holders = [volume?.workspace, ...(volume?.holders ?? []).map(({ workspace }) => workspace)];
    const states = holders.map((each) =>
      each === undefined ? undefined : this.store.workspace(each)?.state,
    );
    return states.some((state) => state !== undefined && isInTransition(state));
  }

  private get grouping(): VolumeGrouping {
    return choice<VolumeGrouping>('volumes.groupBy', ['role', 'none', 'kind']);
  }

  private groupOf(volume: Volume): string {
    return volumeGroup(volume, this.grouping);
  }

  private sorted(): Volume[] {
    return sortVolumes(
      shownVolumes(this.store.volumes),
      choice<VolumeOrder>('volumes.sortBy', ['name', 'size', 'created']),
    );
  }

  private members(key: string): Volume[] {
    return this.sorted().filter((volume) => this.groupOf(volume) === key);
  }

  private roots(): VolumeRow[] {
    const sorted = this.sorted();
    this.drawn = this.ordersOf(sorted);
    if (this.grouping === 'none') {
      return sorted.map(({ name }) => ({ type: 'volume', name }));
    }
    return volumeGroups(sorted, this.grouping).map((key) => ({ type: 'group', key }));
  }

  private ordersOf(sorted: readonly Volume[]): Map<string, string> {
    const namesIn = (key: string): string =>
      sorted
        .filter((volume) => this.groupOf(volume) === key)
        .map(({ name }) => name)
        .join(' ');
    return new Map(volumeGroups(sorted, this.grouping).map((key) => [key, namesIn(key)]));
  }

  /** Groups that have other members since; undefined where all is to be drawn anew: rows that are lose their open menus and drags. */
  private regrouped(): (VolumeRow | undefined)[] | undefined {
    const before = this.drawn;
    const now = this.ordersOf(this.sorted());
    const changed = [...now.keys()].filter((key) => now.get(key) !== before.get(key));
    if ([...now.keys()].join(' ') !== [...before.keys()].join(' ') || changed.includes('')) {
      return undefined;
    }
    this.drawn = now;
    return changed.map((key) => this.rows.find(rowId({ type: 'group', key })));
  }

  private groupLabel(key: string): string {
    const purposes: Record<string, string> = {
      home: t('Homes'),
      named: t('Named'),
      session: t('Sessions'),
      foreign: t('Other tools'),
    };
    const member = this.members(key)[0];
    return this.grouping === 'kind' && member !== undefined ? kindWord(member.kind) : (purposes[key] ?? key);
  }

  private folderRow(volume: string, path: string): VolumeRow | undefined {
    return this.rows.find(path === '/' ? `volume:${volume}` : `file:${volume}:${path}`);
  }

  private refresh(change: StoreChange): void {
    change.volumes.forEach((name) => this.snapshots.renew(name));
    if (change.all) {
      this.snapshots.renewAll();
    }
    const groups = change.all ? undefined : this.regrouped();
    if (groups?.length !== 0) {
      const isGone = (volume: string): boolean => this.store.volume(volume) === undefined;
      this.rows.drop((row) => row.type !== 'group' && isGone(row.type === 'volume' ? row.name : row.volume));
    }
    if (groups === undefined) {
      this.emitter.fire(undefined);
      return;
    }
    const changed = [...change.volumes].map((name) => this.rows.find(`volume:${name}`));
    const users = [...change.workspaces].flatMap((name) => this.rowsOfUser(name));
    const found = [...new Set([...groups, ...changed, ...users])].filter((row) => row !== undefined);
    if (found.length > 0) {
      this.emitter.fire(found);
    }
  }

  /** The row that holds them is there only while there are some. */
  private snapshotsChanged(volume: string): void {
    const isGone = ({ id }: { id: string }): boolean => this.snapshots.find(volume, id) === undefined;
    this.rows.drop((row) => row.type === 'snapshot' && row.volume === volume && isGone(row));
    const row = this.rows.find(`volume:${volume}`);
    if (row !== undefined) {
      this.emitter.fire(row);
    }
  }

  /** Of a workspace that changed: its rows below volumes, and the volumes that it uses since, or no longer. */
  private rowsOfUser(name: string): (VolumeRow | undefined)[] {
    const drawn = [...this.rows.all()].flatMap((row) =>
      row.type === 'user' && row.name === name ? [row.volume] : [],
    );
    const mounts = this.store.workspace(name)?.spec.mounts ?? [];
    const used = mounts.map(({ source }) => source);
    this.rows.drop((row) => row.type === 'user' && row.name === name && !used.includes(row.volume));
    return [...drawn, ...used].map((volume) =>
      this.rows.find(
        drawn.includes(volume) && used.includes(volume) ? `user:${volume}:${name}` : `volume:${volume}`,
      ),
    );
  }

  /** A change to a thing makes the listing of its folder stale; a folder that was never listed is left alone. */
  private filesChanged({ volume, changes }: FilesChange): void {
    this.sizes.changed(volume);
    for (const { path, type } of changes) {
      const folder = this.folderRow(volume, parentPath(path));
      if (folder !== undefined && !baseName(path).startsWith('.berth-')) {
        this.stale.add(folder);
      }
      if (type === 'deleted') {
        this.rows.drop(
          (row) => row.type === 'file' && row.volume === volume && row.path.startsWith(`${path}/`),
        );
      }
    }
  }
}
