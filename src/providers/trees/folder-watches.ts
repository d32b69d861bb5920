/** Watches the folders that are open in the visible Volumes view, so that changes from inside show by themselves. */
import type * as vscode from 'vscode';
import type { FileChange } from '../../api';
import type { WatchTarget } from '../../client/watch';
import type { EngineLink, Logger } from '../engine-link';
import { FileWatches } from '../files/file-watches';
import { DisposableList, type Disposable } from '../signal';
import type { Store } from '../store';
import { rowId, type VolumeRow } from './rows';

/** More open folders than this show changes at the next refresh only. */
const mostWatches = 40;

export class FolderWatches implements Disposable {
  private readonly owned = new DisposableList();
  private readonly watches: FileWatches;
  /** Open folders; undefined while the view is hidden or nothing runs in the volume. */
  private readonly open = new Map<string, { row: VolumeRow; watch: Disposable | undefined }>();

  constructor(
    private readonly view: vscode.TreeView<VolumeRow>,
    link: EngineLink,
    private readonly store: Store,
    private readonly log: Logger,
  ) {
    const deliver = (volume: string, changes: FileChange[]): void => {
      store.take({ type: 'files.changed', payload: { volume, changes } });
    };
    // Told as a change of the folder in itself: a row is read anew when something in it changed.
    const missed = ({ volume, path }: WatchTarget): void =>
      deliver(volume, [{ type: 'changed', path: `${path.replace(/\/$/, '')}/.` }]);
    this.watches = this.owned.add(new FileWatches(link, store, log, { changes: deliver, missed }));
    this.owned.add(view.onDidExpandElement(({ element }) => this.expanded(element)));
    this.owned.add(view.onDidCollapseElement(({ element }) => this.collapsed(element)));
    this.owned.add(view.onDidChangeVisibility(() => this.update()));
    this.owned.add(store.onDidChange(() => this.update()));
  }

  dispose(): void {
    this.owned.dispose();
  }

  private expanded(row: VolumeRow): void {
    if (row.type !== 'volume' && row.type !== 'file') {
      return;
    }
    if (this.open.size >= mostWatches) {
      this.log.info(`More than ${mostWatches} folders are open: ${rowId(row)} is not watched.`);
      return;
    }
    this.open.set(rowId(row), { row, watch: undefined });
    this.update();
  }

  private collapsed(row: VolumeRow): void {
    this.open.get(rowId(row))?.watch?.dispose();
    this.open.delete(rowId(row));
  }

  private update(): void {
    for (const [id, { row, watch }] of this.open) {
      const wanted = this.view.visible && this.changesFromInside(row);
      if (wanted && watch === undefined) {
        this.open.set(id, { row, watch: this.watches.watch(targetOf(row)) });
      } else if (!wanted && watch !== undefined) {
        watch.dispose();
        this.open.set(id, { row, watch: undefined });
      }
    }
  }

  private changesFromInside(row: VolumeRow): boolean {
    const name = row.type === 'volume' ? row.name : row.type === 'file' ? row.volume : undefined;
    const holders = name === undefined ? [] : (this.store.volume(name)?.holders ?? []);
    return holders.some(({ state }) => state === 'running');
  }
}

function targetOf(row: VolumeRow) {
  if (row.type === 'file') {
    return { volume: row.volume, path: row.path, recursive: false };
  }
  return { volume: row.type === 'volume' ? row.name : '', path: '/', recursive: false };
}
