/** Watches the folders that are open in a visible view, so that changes from inside show by themselves. */
import type * as vscode from 'vscode';
import type { FileChange } from '../../api';
import type { WatchTarget } from '../../client/watch';
import { rootFilesOf } from '../../api/rules/root-files';
import type { EngineLink, Logger } from '../../ui/engine-link';
import { FileWatches } from '../files/file-watches';
import { isInUse } from '../files/in-use';
import { DisposableList, type Disposable } from '../../ui/signal';
import type { Store } from '../../ui/store';
import { rowId, type Row } from './rows';

/** More open folders than this show changes at the next refresh only. */
const maxWatches = 40;

export class FolderWatches implements Disposable {
  private readonly owned = new DisposableList();
  private readonly watches: FileWatches;
  /** Open folders; undefined while the view is hidden or nothing runs in the volume. */
  private readonly open = new Map<string, { row: Row; watch: Disposable | undefined }>();

  constructor(
    private readonly view: vscode.TreeView<Row>,
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

  private expanded(row: Row): void {
    if (targetOf(row) === undefined) {
      return;
    }
    if (this.open.size >= maxWatches) {
      this.log.info(`More than ${maxWatches} folders are open: ${rowId(row)} is not watched.`);
      return;
    }
    this.open.set(rowId(row), { row, watch: undefined });
    this.update();
  }

  private collapsed(row: Row): void {
    this.open.get(rowId(row))?.watch?.dispose();
    this.open.delete(rowId(row));
  }

  private update(): void {
    for (const [id, { row, watch }] of this.open) {
      const target = this.view.visible ? targetOf(row) : undefined;
      const isWanted = target !== undefined && isInUse(this.store, target.volume);
      if (isWanted && watch === undefined) {
        this.open.set(id, { row, watch: this.watches.watch(target) });
      } else if (!isWanted && watch !== undefined) {
        watch.dispose();
        this.open.set(id, { row, watch: undefined });
      }
    }
  }
}

/** The folder that a row shows; undefined for rows of other things. */
function targetOf(row: Row): WatchTarget | undefined {
  const recursive = false;
  switch (row.type) {
    case 'volume':
      return { volume: row.name, path: '/', recursive };
    case 'root':
      return { volume: rootFilesOf(row.workspace), path: '/', recursive };
    case 'file':
      return { volume: row.volume, path: row.path, recursive };
    default:
      return undefined;
  }
}
