/** `berth:/<volume>/<path>`: the files of volumes as a file system of VS Code, running or not. */
import * as vscode from 'vscode';
import { formatBytes } from '../../ui/sizes';
import { asBerthError, type FileChange, type FileEntry } from '../../api';
import type { EngineClient } from '../../client/engine-client';
import type { WatchTarget } from '../../client/watch';
import { fileScheme } from '../../ui/ids';
import type { EngineLink, Logger } from '../../ui/engine-link';
import type { Runner } from '../../ui/runner';
import { DisposableList } from '../../ui/signal';
import type { Store } from '../../ui/store';
import { isForEditor, maxWholeBytes, tooLargeToCopy } from './editor-size';
import { fileSystemError } from './file-errors';
import { allVolumesStat, fileStat, fileType } from './file-stat';
import { FileWatches } from './file-watches';
import { FixedRoots, lockedRoot, lockedWords, offerChanges } from './fixed-roots';
import { hasTab } from './open-tabs';
import { baseName } from '../../api/rules/volume-path';
import { removeFrom } from './remove-from';
import { transferBetween } from './transfer-between';
import { volumeNamed } from './volume-names';
import {
  isAllVolumes,
  isOlderUri,
  olderUri,
  placeOf,
  plainUri,
  volumeUri,
  type VolumePlace,
} from './volume-uri';
import { showInformationMessage, showWarningMessage } from '../../ui/messages';

const { t } = vscode.l10n;
const { Changed, Created, Deleted } = vscode.FileChangeType;

export class VolumeFileSystem implements vscode.FileSystemProvider, vscode.Disposable {
  private readonly owned = new DisposableList();
  private readonly emitter = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  readonly onDidChangeFile = this.emitter.event;
  private readonly watches: FileWatches;
  private readonly fixed: FixedRoots;
  /** Volumes that somebody has open by older URIs: their changes are told by these as well. */
  private readonly byOlderUris = new Set<string>();

  constructor(
    private readonly link: EngineLink,
    private readonly store: Store,
    private readonly runner: Pick<Runner, 'watched'>,
    log: Logger,
  ) {
    this.owned.add(this.emitter);
    this.watches = this.owned.add(
      new FileWatches(link, store, log, {
        changes: (volume, changes) => this.publish(volume, changes),
        missed: (target) => this.reportMissed(target),
      }),
    );
    this.fixed = this.owned.add(new FixedRoots(store, (volume) => this.refreshOpen(volume, '/')));
    this.owned.add(store.onDidChangeFiles(({ volume, changes }) => this.publish(volume, changes)));
    this.owned.add(vscode.workspace.registerFileSystemProvider(fileScheme, this, { isCaseSensitive: true }));
  }

  dispose(): void {
    this.owned.dispose();
  }

  watch(uri: vscode.Uri, { recursive }: { recursive: boolean }): vscode.Disposable {
    if (isAllVolumes(uri)) {
      return new vscode.Disposable(() => undefined);
    }
    const watch = this.watches.watch({ ...placeOf(uri), recursive });
    return new vscode.Disposable(() => watch.dispose());
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    if (isAllVolumes(uri)) {
      return allVolumesStat;
    }
    const entry = await this.entry(uri);
    return fileStat(entry, this.fixed.has(this.placeOf(uri).volume));
  }

  readDirectory(uri: vscode.Uri): Promise<[string, vscode.FileType][]> {
    return this.at(uri, async (client, { volume, path }) => {
      if (isAllVolumes(uri)) {
        return this.store.volumes.map(({ name }) => [name, vscode.FileType.Directory]);
      }
      const { entries } = await client.call('files.list', { params: { volume }, query: { path } });
      return entries.map((entry) => [entry.name, fileType(entry)]);
    });
  }

  /** Whole, as VS Code takes it: for an editor up to the size of the setting, for a copy more. */
  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    return this.at(uri, async (client, { volume, path }) => {
      const { size } = await client.call('files.stat', { params: { volume }, query: { path } });
      if (!isForEditor({ size }) && hasTab(uri)) {
        this.offerDownload(uri, size);
        throw vscode.FileSystemError.Unavailable(
          t('{0} is {1} large: download it instead.', path, formatBytes(size)),
        );
      }
      if (size > maxWholeBytes) {
        throw vscode.FileSystemError.Unavailable(tooLargeToCopy(path, size));
      }
      return client.readFile(volume, path);
    });
  }

  async writeFile(
    uri: vscode.Uri,
    content: Uint8Array,
    options: { create: boolean; overwrite: boolean },
  ): Promise<void> {
    this.refuseLocked(uri);
    const { dropped } = await this.at(uri, (client, { volume, path }) =>
      client.writeFile(volume, path, Buffer.from(content.buffer, content.byteOffset, content.byteLength), {
        create: options.create,
        overwrite: options.overwrite,
      }),
    );
    this.emitter.fire([{ type: Changed, uri }]);
    if (dropped !== undefined) {
      const rights = dropped.join(', ');
      void showInformationMessage(
        t('{0} was saved. With its old content it lost: {1}.', placeOf(uri).path, rights),
      );
    }
  }

  async createDirectory(uri: vscode.Uri): Promise<void> {
    this.refuseLocked(uri);
    await this.at(uri, (client, { volume, path }) =>
      client.call('files.mkdir', { params: { volume }, body: { path } }),
    );
    this.emitter.fire([{ type: Created, uri }]);
  }

  /**
   * Deletes after the questions that this takes. Throws `FileSystemError`: `Unavailable` when the user cancels, else
   * what the deletion failed with.
   */
  async delete(uri: vscode.Uri, { recursive }: { recursive: boolean }): Promise<void> {
    this.refuseLocked(uri);
    const title = t('Deleting {0}', baseName(uri.path));
    // VS Code shows no progress that could be cancelled for what a file system does.
    const outcome = await this.runner.watched(title, (task) =>
      removeFrom(task, this.placeOf(uri), recursive),
    );
    if (outcome.kind === 'cancelled') {
      throw vscode.FileSystemError.Unavailable(t('Cancelled: what was not deleted yet is still there.'));
    }
    if (outcome.kind === 'failed') {
      throw fileSystemError(outcome.error, uri);
    }
    this.emitter.fire([{ type: Deleted, uri }]);
  }

  async rename(from: vscode.Uri, to: vscode.Uri, options: { overwrite: boolean }): Promise<void> {
    await this.place('files.rename', from, to, options.overwrite);
    this.emitter.fire([
      { type: Deleted, uri: from },
      { type: Created, uri: to },
    ]);
  }

  async copy(from: vscode.Uri, to: vscode.Uri, options: { overwrite: boolean }): Promise<void> {
    await this.place('files.copy', from, to, options.overwrite);
    this.emitter.fire([{ type: Created, uri: to }]);
  }

  /** Inside one volume the engine renames or copies; between volumes it transfers. No byte comes here. */
  private async place(
    id: 'files.rename' | 'files.copy',
    from: vscode.Uri,
    to: vscode.Uri,
    overwrite: boolean,
  ): Promise<void> {
    this.refuseLocked(to, ...(id === 'files.rename' ? [from] : []));
    try {
      const client = await this.link.client();
      const [source, target] = [this.placeOf(from), this.placeOf(to)];
      if (source.volume === target.volume) {
        const body = { from: source.path, to: target.path, overwrite };
        await client.call(id, { params: { volume: source.volume }, body });
      } else {
        await transferBetween(client, source, target, { move: id === 'files.rename', overwrite });
      }
    } catch (error) {
      throw fileSystemError(error, (await this.isMissing(from, error)) ? from : to);
    }
  }

  /** Whether what was to be copied is what an error is about. */
  private async isMissing(from: vscode.Uri, error: unknown): Promise<boolean> {
    if (asBerthError(error).code !== 'path_not_found') {
      return false;
    }
    return this.entry(from).then(
      () => false,
      () => true,
    );
  }

  private entry(uri: vscode.Uri): Promise<FileEntry> {
    return this.at(uri, (client, { volume, path }) =>
      client.call('files.stat', { params: { volume }, query: { path } }),
    );
  }

  private async at<T>(
    uri: vscode.Uri,
    use: (client: EngineClient, place: VolumePlace) => Promise<T>,
  ): Promise<T> {
    try {
      const client = await this.link.client();
      return await use(client, this.placeOf(uri));
    } catch (error) {
      throw fileSystemError(error, uri);
    }
  }

  /** Throws `NoPermissions`, and offers the way out, where changes have to be allowed first. */
  private refuseLocked(...uris: vscode.Uri[]): void {
    for (const uri of uris) {
      const workspace = isAllVolumes(uri) ? undefined : lockedRoot(this.store, this.placeOf(uri).volume);
      if (workspace !== undefined) {
        void offerChanges(workspace);
        throw vscode.FileSystemError.NoPermissions(lockedWords(workspace));
      }
    }
  }

  private placeOf(uri: vscode.Uri): VolumePlace {
    const { volume, path } = placeOf(uri);
    const name = volumeNamed(this.store, volume);
    if (isOlderUri(uri)) {
      this.byOlderUris.add(name);
    }
    return { volume: name, path };
  }

  private offerDownload(uri: vscode.Uri, size: number): void {
    const download = t('Download…');
    const text = t(
      '{0} is {1} large, more than an editor of Berth opens.',
      placeOf(uri).path,
      formatBytes(size),
    );
    void showWarningMessage(text, download).then((chosen) => {
      if (chosen === download) {
        void vscode.commands.executeCommand('berth.file.download', uri);
      }
    });
  }

  private publish(volume: string, changes: readonly FileChange[]): void {
    const types = { created: Created, changed: Changed, deleted: Deleted };
    this.emitter.fire(
      changes.flatMap(({ type, path }) =>
        this.urisOf(volume, path).map((uri) => ({ type: types[type], uri })),
      ),
    );
  }

  private urisOf(volume: string, path: string): vscode.Uri[] {
    const [uri, plain] = [volumeUri(volume, path), plainUri(volume, path)];
    const older = this.byOlderUris.has(volume) ? [olderUri(volume, path)] : [];
    return [uri, ...(uri.query === '' ? [] : [plain]), ...older];
  }

  /** All that is shown of a place may be old: open editors, and the Explorer, which has no event for it. */
  private reportMissed({ volume, path }: WatchTarget): void {
    this.refreshOpen(volume, path);
    void vscode.commands.executeCommand('workbench.files.action.refreshFilesExplorer');
  }

  /** Editors of what is below a place ask again what it is. */
  private refreshOpen(volume: string, path: string): void {
    const inside = `${path.replace(/\/$/, '')}/`;
    const shown = vscode.workspace.textDocuments.map(({ uri }) => uri).filter((uri) => isInside(uri));
    this.emitter.fire([...this.urisOf(volume, path), ...shown].map((uri) => ({ type: Changed, uri })));

    function isInside(uri: vscode.Uri): boolean {
      return (
        uri.scheme === fileScheme && placeOf(uri).volume === volume && placeOf(uri).path.startsWith(inside)
      );
    }
  }
}
