/** How a workspace and what hangs on it look as rows. */
import * as vscode from 'vscode';
import { formatBytes } from '../../ui/sizes';
import type { Operation, Workspace, WorkspaceState } from '../../api';
import type { Store } from '../../ui/store';
import { runtimeWords, stateWord, time, usedWords, volumeWord } from '../../ui/words';
import { workspaceImage } from '../../api/rules/image-reference';
import { isInTransition } from '../../api/rules/lifecycle';
import { defaultRuntime, localTarget } from '../../api/rules/runtimes';
import { workspaceMarks } from '../../ui/contributions/command-row';
import { setting } from '../../ui/settings';
import { hintedCommand } from '../../ui/remedies/hinted-command';
import { hintInWindow } from '../../ui/remedies/hinted-remedy';
import { engineSentence } from '../../ui/operations/engine-sentences';
import { progressText } from '../../ui/progress';
import { decorated } from '../row-uri';
import { rowId, type WorkspaceRow } from './rows';

const { t } = vscode.l10n;
type RowOf<T extends WorkspaceRow['type']> = Extract<WorkspaceRow, { type: T }>;

/** The icon of a state, with its colour. */
export function stateIcon(state: WorkspaceState): vscode.ThemeIcon {
  if (isInTransition(state)) {
    return new vscode.ThemeIcon('sync~spin', new vscode.ThemeColor('charts.blue'));
  }
  switch (state) {
    case 'running':
      return new vscode.ThemeIcon('vm-running', new vscode.ThemeColor('charts.green'));
    case 'paused':
      return new vscode.ThemeIcon('debug-pause', new vscode.ThemeColor('charts.yellow'));
    case 'archived':
      return new vscode.ThemeIcon('archive', new vscode.ThemeColor('descriptionForeground'));
    case 'error':
      return new vscode.ThemeIcon('error', new vscode.ThemeColor('errorForeground'));
    default:
      return new vscode.ThemeIcon('vm-outline', new vscode.ThemeColor('descriptionForeground'));
  }
}

/**
 * The grey text: what is going on when something is; else the state, unless it is running, and the parts that the user chose.
 * What is as for all workspaces, the default runtime and image, is left out.
 */
export function workspaceDescription(
  workspace: Workspace,
  operation: Operation | undefined,
  parts: readonly string[],
): string {
  if (isInTransition(workspace.state)) {
    const step = operation && progressText(operation);
    return [`${stateWord(workspace.state)}…`, step].filter(Boolean).join(' ');
  }
  const shown = parts.filter((part) => part !== 'state');
  const details = shown.map((part) => detail(workspace, part));
  const source = workspace.forkedFrom?.workspace;
  // What it is a fork of may be cut off, as what stands behind it; port and idle time not.
  const at = Math.max(shown.indexOf('idle'), shown.indexOf('port'));
  details.splice(at + 1, 0, source && t('fork of {0}', source));
  return [saysState(workspace.state, parts) ? stateWithSize(workspace) : undefined, ...details]
    .filter((word) => word !== undefined)
    .join(' · ');
}

/** A detail that says nothing new, as the default runtime of this machine, is undefined. */
function detail(workspace: Workspace, part: string): string | undefined {
  const { spec, state, sshPort } = workspace;
  switch (part) {
    case 'runtime':
      return runtimeAndPlace(workspace);
    case 'image':
      return spec.image === setting('defaultImage', '') || spec.image === workspaceImage
        ? undefined
        : spec.image;
    case 'port':
      return state === 'running' ? `:${sshPort}` : undefined;
    case 'idle':
      return idleSince(workspace);
    default:
      return undefined;
  }
}

function runtimeAndPlace({ spec: { runtime, target = localTarget } }: Workspace): string | undefined {
  const { name } = runtimeWords(runtime);
  if (target !== localTarget) {
    return t('{0} on {1}', name, target);
  }
  return runtime === defaultRuntime ? undefined : name;
}

/** What is set aside goes on taking room on the disk. */
function stateWithSize({ state, ownFiles }: Workspace): string {
  return state === 'archived' && ownFiles !== undefined
    ? t('{0}, {1} outside of volumes', stateWord(state), formatBytes(ownFiles.bytes))
    : stateWord(state);
}

function idleSince(workspace: Workspace): string | undefined {
  if (workspace.state !== 'running' || (workspace.attached ?? 0) > 0) {
    return undefined;
  }
  return t('idle since {0}', time(workspace.lastUsedAt));
}

/** The row of a workspace; `parts` are added to its description. */
export function workspaceItem(
  row: RowOf<'workspace'>,
  store: Store,
  parts: readonly string[],
): vscode.TreeItem {
  const workspace = store.workspace(row.name);
  const item = new vscode.TreeItem(workspace?.label ?? row.name, vscode.TreeItemCollapsibleState.Collapsed);
  item.id = rowId(row);
  if (workspace === undefined) {
    return item;
  }
  const running = store.runningOperations.find((operation) => operation.workspace === row.name);
  const name = workspace.label === workspace.name ? '' : workspace.name;
  // A narrow side bar cuts off the end: what commands call a workspace that has another label can wait.
  const description = [workspaceDescription(workspace, running, parts), name].filter(Boolean).join(' · ');
  item.description = description;
  item.iconPath = stateIcon(workspace.state);
  item.contextValue = ['workspace', workspace.state, workspace.spec.runtime, ...marksOf(workspace)].join('+');
  item.resourceUri = decorated('workspace', workspace.name);
  const spoken = [description, ...markWords(workspace)].filter(Boolean).join(', ');
  item.accessibilityInformation = {
    // The state is said once, also where the grey text leaves it out.
    label: saysState(workspace.state, parts)
      ? t('Workspace {0}, {1}', workspace.label, spoken)
      : t('Workspace {0}, {1}, {2}', workspace.label, stateWord(workspace.state), spoken),
    role: 'treeitem',
  };
  return item;
}

/** All its marks, those that it has not as `un…`, and whether it is a fork. */
const marksOf = (workspace: Workspace): string[] => [
  ...workspaceMarks.map((mark) => (workspace[mark] === true ? mark : `un${mark}`)),
  ...(workspace.forkedFrom === undefined ? [] : ['fork']),
];

/** What its decoration shows, for screen readers. */
const markWords = (workspace: Workspace): string[] => [
  ...(workspace.favourite === true ? [t('favourite')] : []),
  ...(workspace.protected === true ? [t('protected')] : []),
];

const saysState = (state: WorkspaceState, parts: readonly string[]): boolean =>
  state !== 'running' || parts.includes('state');

/** The row of a group, with how many there are in it. */
export function groupItem(label: string, id: string, count: number): vscode.TreeItem {
  const item = new vscode.TreeItem(label, vscode.TreeItemCollapsibleState.Expanded);
  item.id = id;
  item.description = String(count);
  item.contextValue = 'group';
  item.accessibilityInformation = {
    label: count === 1 ? t('Group {0}, 1 row', label) : t('Group {0}, {1} rows', label, count),
  };
  return item;
}

/** The row that says what went wrong with a workspace. */
export function problemItem(row: RowOf<'problem'>, store: Store): vscode.TreeItem {
  const workspace = store.workspace(row.workspace);
  const all =
    workspace === undefined ? [] : [...(workspace.problem ? [workspace.problem] : []), ...workspace.warnings];
  const problem = all[row.index];
  const isError = row.index === 0 && workspace?.problem !== undefined;
  const message = problem === undefined ? '' : engineSentence(problem.message);
  const item = new vscode.TreeItem(message);
  item.id = rowId(row);
  const hint = problem && hintInWindow(problem);
  item.description = hint ?? '';
  item.tooltip = [message, hint].filter(Boolean).join('\n\n');
  item.iconPath = isError
    ? new vscode.ThemeIcon('error', new vscode.ThemeColor('errorForeground'))
    : new vscode.ThemeIcon('warning', new vscode.ThemeColor('editorWarning.foreground'));
  const verb = problem && hintedCommand(problem)?.command.replace('berth.workspace.', '');
  item.contextValue = verb === undefined ? 'problem' : `problem+${verb}`;
  item.accessibilityInformation = {
    label: t('{0}: {1}', isError ? t('Error') : t('Warning'), message),
  };
  return item;
}

/** The row of a workspace's SSH port. */
export function portItem(row: RowOf<'port'>, store: Store): vscode.TreeItem {
  const workspace = store.workspace(row.workspace);
  const port = workspace?.sshPort ?? '';
  // A narrow side bar has no room for the address, which is the same everywhere, before the port.
  const item = new vscode.TreeItem(t('SSH port {0}', port));
  item.id = rowId(row);
  item.description = `ssh ${workspace?.sshAlias ?? ''}`;
  item.tooltip = `127.0.0.1:${port}`;
  const answers = workspace?.state === 'running';
  item.iconPath = new vscode.ThemeIcon(answers ? 'plug' : 'debug-disconnect');
  item.contextValue = 'port';
  item.accessibilityInformation = {
    label: t('SSH port {0}, {1}', port, answers ? t('answers') : t('reserved, not running')),
  };
  return item;
}

/** The row of a published port. */
export function publishedItem(row: RowOf<'published'>, store: Store): vscode.TreeItem {
  const answers = store.workspace(row.workspace)?.state === 'running';
  const item = new vscode.TreeItem(t('Port {0}', row.guest));
  item.id = rowId(row);
  item.description = `127.0.0.1:${row.host}`;
  item.iconPath = new vscode.ThemeIcon(answers ? 'radio-tower' : 'debug-disconnect');
  item.contextValue = 'published';
  item.accessibilityInformation = {
    label: t(
      'Port {0} at {1}, {2}',
      row.guest,
      item.description,
      answers ? t('workspace is running') : t('reserved, not running'),
    ),
  };
  return item;
}

/** The row of a volume that is mounted in a workspace. */
export function mountItem(row: RowOf<'mount'>, store: Store): vscode.TreeItem {
  const volume = store.volume(row.volume);
  const item = new vscode.TreeItem(volumeWord(row.volume, store.workspace(row.workspace)));
  item.id = rowId(row);
  item.tooltip = t('Volume {0} at {1}', row.volume, row.target);
  item.description = [row.target, row.readOnly ? t('read-only') : undefined, volume && usedWords(volume)]
    .filter(Boolean)
    .join(' · ');
  item.iconPath = new vscode.ThemeIcon('database');
  item.contextValue = 'mount';
  item.resourceUri = decorated('mount', row.workspace, row.target);
  item.accessibilityInformation = { label: t('Volume {0} at {1}', row.volume, item.description) };
  return item;
}

/** `isFixed`: its files can be read, not changed. */
export function rootItem(
  row: RowOf<'root'>,
  { isFixed, isLocked }: { isFixed: boolean; isLocked: boolean },
): vscode.TreeItem {
  const item = new vscode.TreeItem(t('File System'), vscode.TreeItemCollapsibleState.Collapsed);
  item.id = rowId(row);
  item.description = isFixed ? t('/ · read-only') : '/';
  item.iconPath = new vscode.ThemeIcon('root-folder');
  item.tooltip = t('All files of {0}, as its shell sees them, from / on.', row.workspace);
  item.contextValue = `root${isFixed ? '+fixed' : ''}${isLocked ? '+locked' : ''}`;
  item.resourceUri = decorated('root', row.workspace);
  item.accessibilityInformation = {
    label: isFixed
      ? t('File system of {0}, read-only', row.workspace)
      : t('File system of {0}', row.workspace),
  };
  return item;
}
