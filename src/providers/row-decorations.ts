/** Marks beside rows, in the Explorer and in tabs: protected, favourite, read-only, mounted in the workspace of this window. */
import * as vscode from 'vscode';
import { rootFilesOf } from '../api/rules/root-files';
import { fileScheme } from '../ui/ids';
import { DisposableList } from '../ui/signal';
import type { Store, StoreChange } from '../ui/store';
import { isFixedRoot } from './files/fixed-roots';
import { placeOf } from './files/volume-uri';
import { workspaceOfWindow } from './status-bar';
import { decorated, rowNamed } from './row-uri';

const { t } = vscode.l10n;

export class RowDecorations implements vscode.FileDecorationProvider, vscode.Disposable {
  private readonly owned = new DisposableList();
  private readonly emitter = this.owned.add(new vscode.EventEmitter<vscode.Uri[] | undefined>());
  readonly onDidChangeFileDecorations = this.emitter.event;

  /** `here`: the workspace that this window shows. */
  constructor(
    private readonly store: Store,
    private readonly here = () => workspaceOfWindow(vscode.workspace.workspaceFolders),
  ) {
    this.owned.add(store.onDidChange((change) => this.follow(change)));
    this.owned.add(vscode.window.registerFileDecorationProvider(this));
  }

  dispose(): void {
    this.owned.dispose();
  }

  provideFileDecoration(uri: vscode.Uri): vscode.FileDecoration | undefined {
    if (uri.scheme === fileScheme) {
      return isFixedRoot(this.store, placeOf(uri).volume) ? readOnly() : undefined;
    }
    const row = rowNamed(uri);
    switch (row?.kind) {
      case 'workspace':
        return marks(this.store.workspace(row.name));
      case 'volume':
        return marks(this.store.volume(row.name), this.isMountedHere(row.name));
      case 'mount':
        return this.isMountFixed(row.name, row.place) ? readOnly() : undefined;
      case 'root':
        return isFixedRoot(this.store, rootFilesOf(row.name)) ? readOnly() : undefined;
      case 'fixed':
        return readOnly();
      default:
        return undefined;
    }
  }

  private isMountedHere(volume: string): boolean {
    const name = this.here();
    const workspace = name === undefined ? undefined : this.store.workspace(name);
    const mounts = (workspace?.spec.mounts ?? []).map(({ source }) => source);
    return [workspace?.homeVolume, workspace?.dockerVolume, ...mounts].includes(volume);
  }

  private isMountFixed(workspace: string, target: string): boolean {
    const mounts = this.store.workspace(workspace)?.spec.mounts ?? [];
    return mounts.some((mount) => mount.target === target && mount.readOnly);
  }

  private follow({ all, workspaces, volumes }: StoreChange): void {
    this.emitter.fire(
      all
        ? undefined
        : [
            ...[...workspaces].flatMap((name) => [decorated('workspace', name), decorated('root', name)]),
            ...[...volumes].map((name) => decorated('volume', name)),
          ],
    );
  }
}

function readOnly(): vscode.FileDecoration {
  return new vscode.FileDecoration('RO', t('Read-only'));
}

/** Letters, as other marks of VS Code: not every font has a lock. */
function marks(
  of: { favourite?: boolean; protected?: boolean } | undefined,
  isMounted = false,
): vscode.FileDecoration | undefined {
  const found = [
    ...(of?.favourite === true ? [['★', t('Favourite')]] : []),
    ...(isMounted ? [['M', t('Mounted in the workspace of this window')]] : []),
    ...(of?.protected === true ? [['P', t('Protected')]] : []),
  ];
  return found.length === 0
    ? undefined
    : new vscode.FileDecoration(
        found.map(([badge]) => badge).join(''),
        found.map(([, word]) => word).join(', '),
      );
}
