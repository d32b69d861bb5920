/** The composition root of the VS Code side: builds, wires, disposes. Starts nothing and asks nothing by itself. */
import * as vscode from 'vscode';
import { Clipboard } from './commands/file/clipboard';
import { registerCommands } from './commands/register';
import { FollowedOperations, resumeFollowed } from './ui/followed';
import { Runner } from './ui/runner';
import { Targets } from './commands/targets';
import type { EngineClient } from './client/engine-client';
import { ContextKeys } from './providers/context-keys';
import { volumesDrop, workspacesDrop } from './providers/drop/controllers';
import { StreamNotes } from './providers/drop/stream-notes';
import { Transfers } from './providers/drop/transfers';
import { EngineLink } from './ui/engine-link';
import { VolumeFileSystem } from './providers/files/file-system';
import { followSettings } from './providers/follow-settings';
import { launchOptions } from './ui/launch-options';
import { SentSettings } from './ui/sent-settings';
import { engineSettings } from './ui/settings';
import { noteOpened } from './ui/recents';
import { StatusBar, workspaceOfWindow } from './providers/status-bar';
import { Store } from './ui/store';
import { WorkspaceTerminals } from './providers/terminal/terminals';
import { FolderWatches } from './providers/trees/folder-watches';
import { VolumesTree } from './providers/trees/volumes-tree';
import { WorkspacesTree } from './providers/trees/workspaces-tree';
import { Views } from './providers/views';

/** What other extensions may use; `version` is raised when it changes incompatibly. */
export interface BerthApi {
  readonly version: 1;
  /** A client of the engine, which is started when it does not run. */
  readonly client: () => Promise<EngineClient>;
  /** What the views know now. */
  readonly store: Pick<
    Store,
    'workspaces' | 'workspace' | 'volumes' | 'onDidChange' | 'allowsRootChanges' | 'allowRootChanges'
  >;
  readonly trees: { workspaces: WorkspacesTree; volumes: VolumesTree };
}

/** Called by VS Code. The answer is what other extensions may use. */
export function activate(context: vscode.ExtensionContext): { getApi(version: 1): BerthApi } {
  const own = <T extends vscode.Disposable>(item: T): T => {
    context.subscriptions.push(item);
    return item;
  };
  const log = own(vscode.window.createOutputChannel('Berth', { log: true }));
  const store = own(new Store());
  const isWatched = (): boolean => views.areVisible;
  const link = own(
    new EngineLink(
      {
        launch: () => launchOptions(context),
        settings: new SentSettings(context.globalState, engineSettings),
        isWatched,
      },
      store,
      log,
    ),
  );
  const keys = own(new ContextKeys(link, store));
  const followed = new FollowedOperations(context.workspaceState);
  const runner = new Runner(link, store, log, followed);
  const transfers = new Transfers(runner, log, new StreamNotes(context.workspaceState));
  const drops = { transfers, runner, store };
  const workspacesTree = own(new WorkspacesTree(store, link));
  const volumesTree = own(new VolumesTree(store, link, log));
  const trees = { workspaces: workspacesTree, volumes: volumesTree };
  const views = own(
    new Views(trees, { workspaces: workspacesDrop(drops), volumes: volumesDrop(drops) }, link, store, keys),
  );
  for (const view of [views.volumes, views.workspaces]) own(new FolderWatches(view, link, store, log));
  own(new VolumeFileSystem(link, store, runner, log));
  own(new StatusBar(link, store));
  own(followSettings(link, log));
  const terminals = own(new WorkspaceTerminals(link, store));
  const targets = new Targets(link, store, () => ({
    workspaces: views.workspaces.selection,
    volumes: views.volumes.selection,
  }));
  const clipboard = new Clipboard(keys);
  own(
    registerCommands({
      ...{ context, link, store, runner },
      targets,
      views,
      volumesTree,
      workspacesTree,
      keys,
      terminals,
      transfers,
      clipboard,
      log,
    }),
  );
  const here = workspaceOfWindow(vscode.workspace.workspaceFolders);
  if (here !== undefined) void noteOpened(context.globalState, here);
  views.seen();
  goOn(runner, followed, transfers);
  return { getApi: () => ({ version: 1, client: () => link.client(), store, trees }) };
}

/** With what the window had under way before its reload. */
function goOn(runner: Runner, followed: FollowedOperations, transfers: Transfers): void {
  void resumeFollowed(runner, followed, (title, operation) => transfers.reportEnd(title, operation));
  void transfers.resume();
}
