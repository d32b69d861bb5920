/** What a command is, and what commands are given. */
import type * as vscode from 'vscode';
import type { ContextKeys } from '../providers/context-keys';
import type { EngineLink } from '../ui/engine-link';
import type { Store } from '../ui/store';
import type { VolumesTree } from '../providers/trees/volumes-tree';
import type { WorkspacesTree } from '../providers/trees/workspaces-tree';
import type { WorkspaceTerminals } from '../providers/terminal/terminals';
import type { Transfers } from '../providers/drop/transfers';
import type { Views } from '../providers/views';
import type { Clipboard } from './file/clipboard';
import type { Runner } from '../ui/runner';
import type { Targets } from './targets';

/** The clicked row, then all selected rows, as VS Code passes them; a name when called by code. */
export type Handler = (target?: unknown, selected?: unknown) => Promise<void>;

/** The collaborators of commands, built once by the composition root. */
export interface Services {
  context: vscode.ExtensionContext;
  link: EngineLink;
  store: Store;
  runner: Runner;
  targets: Targets;
  views: Views;
  volumesTree: VolumesTree;
  workspacesTree: WorkspacesTree;
  keys: ContextKeys;
  terminals: WorkspaceTerminals;
  transfers: Transfers;
  clipboard: Clipboard;
  log: vscode.LogOutputChannel;
}
