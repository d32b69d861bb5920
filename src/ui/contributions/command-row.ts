/** What package.json says of one command, and the conditions under which it shows. Free of `vscode`: a build script reads it. */
import {
  isSettled,
  offeredIn,
  offeredToCommit,
  transitionOf,
  uses,
  type Use,
  type Verb,
  type WorkspaceState,
} from '../../api/rules/lifecycle';
import { fileScheme, viewIds, type ContextKey } from '../ids';

export type View = keyof typeof viewIds;

/** Below one entry of the menu of a workspace's row, which would be longer than the window else. */
export const forksMenu = 'berth.workspace.forks';
export type Submenu = typeof forksMenu;

/** One entry of a menu. VS Code sorts them by `group`, which ends in the place within the group. */
export interface Placement {
  menu: 'view/title' | 'view/item/context' | 'explorer/context' | Submenu;
  group: string;
  when: string;
  /** What the same entry does while Alt is held. */
  alt?: string;
}

export interface Key {
  key: string;
  mac: string;
  /** Where it works: in the lists of these views, or in all of a window whose folders are Berth's, where VS Code's own search finds nothing. */
  views: readonly Exclude<View, 'found' | 'changes'>[] | 'window';
  /** On that system alone. */
  when?: 'isMac';
}

/** The title and the category follow from the id. */
export interface CommandRow {
  /** Of VS Code's own icons. */
  icon: string;
  /** When the palette offers it; absent: always. */
  palette?: 'never' | ContextKey;
  /** Absent: always. */
  enablement?: ContextKey;
  menus?: readonly Placement[];
  keys?: Key;
}

/** In the title of a view. */
export const title = (group: string, view: View, alt?: string, key?: ContextKey): Placement => ({
  menu: 'view/title',
  group,
  when: [`view == ${viewIds[view]}`, ...(key === undefined ? [] : [key])].join(' && '),
  ...(alt !== undefined && { alt }),
});

/** On the rows that `when` describes. */
export const row = (group: string, when: string, alt?: string): Placement => ({
  menu: 'view/item/context',
  group,
  when,
  ...(alt !== undefined && { alt }),
});

/** Below *Forks and Snapshots* of a workspace's row. */
export const belowForks = (group: string, when: string): Placement => ({ menu: forksMenu, group, when });

/** In the Explorer, on files of a volume that is open as a folder. */
export const explorer = (group: string, on: 'all' | 'folders' = 'all'): Placement => ({
  menu: 'explorer/context',
  group,
  when: `resourceScheme == ${fileScheme}${on === 'all' ? '' : ' && explorerResourceIsFolder'}`,
});

/**
 * What a volume is, as far as commands depend on it. `adoptable`: a workspace can be made of it; `ofTool` and `ofInstallation`: who
 * made it, not this installation; `ours`: nobody else did; `deletable`, `resizable`, `keepable` and `restorable` (snapshots; `kept`:
 * there can be some): nothing is in the way of that; `protected` or
 * `unprotected`, where it is not another installation's.
 */
export const volumeTraits = [
  'adoptable',
  'ofTool',
  'ofInstallation',
  'ours',
  'deletable',
  'resizable',
  'keepable',
  'restorable',
  'kept',
  'protected',
  'unprotected',
] as const;
export type VolumeTrait = (typeof volumeTraits)[number];

const isWorkspacesView = `view == ${viewIds.workspaces}`;
const isVolumesView = `view == ${viewIds.volumes}`;
const isEitherView = 'view =~ /^berth\\.(volumes|workspaces)$/';
const contextKey = (key: ContextKey): string => key;

/** What people mark workspaces with: what it is not marked with is in the value of its row as `un…`. */
export const workspaceMarks = ['protected', 'favourite'] as const;
export type WorkspaceMark = (typeof workspaceMarks)[number];

/** The rows of workspaces: their value is `workspace+STATE+RUNTIME`, and after it its marks. */
export const anyWorkspace = `${isWorkspacesView} && viewItem =~ /^workspace\\+/`;
/** The condition that a row of the tree is a workspace in one of these states. */
export const workspaceIn = (...states: readonly WorkspaceState[]): string =>
  `${isWorkspacesView} && viewItem =~ /^workspace\\+(${states.join('|')})\\+/`;
/** The rows of workspaces that are marked so, or are not. */
export const workspaceThat = (mark: WorkspaceMark | `un${WorkspaceMark}`): string =>
  `${isWorkspacesView} && viewItem =~ /^workspace\\+.*\\+${mark}(\\+|$)/`;
/** The rows of workspaces that a verb is offered for: those that are not protected from it. */
export const offered = (verb: Verb): string =>
  transitionOf(verb).guarded !== undefined
    ? `${isWorkspacesView} && viewItem =~ /^workspace\\+(${offeredIn(verb).join('|')})\\+.*\\+unprotected(\\+|$)/`
    : workspaceIn(...offeredIn(verb));
/** The rows of workspaces that were made of another one: their value ends with that. */
export const aFork = `${isWorkspacesView} && viewItem =~ /^workspace\\+(${uses.fork.join('|')})\\+.*\\+fork$/`;
/** The rows of workspaces that last, where that can be done. */
export const usable = (use: Use): string => workspaceIn(...uses[use].filter(isSettled));
export const toCommit = workspaceIn(...offeredToCommit);
/** The rows below a workspace. */
export const part = (value: 'port' | 'published' | 'mount'): string =>
  `${isWorkspacesView} && viewItem == ${value}`;
/** The rows of what is wrong, or waits, where one of these commands is the way out. */
export const mendedBy = (command: Verb): string => `${isWorkspacesView} && viewItem == problem+${command}`;
export const cancellable = `${isWorkspacesView} && viewItem =~ /^operation\\+cancellable/`;

/** The rows of volumes: their value is `volume+KIND+ROLE`, and after it what can be done with it. */
export const anyVolume = `${isVolumesView} && viewItem =~ /^volume\\+/`;
/** The condition that a row of the tree is such a volume. */
export const volumeThat = (is: VolumeTrait): string =>
  `${isVolumesView} && viewItem =~ /^volume\\+.*\\+${is}(\\+|$)/`;

/** The rows of changes between two sides: what can be done with them is in their value. */
export const changeThat = (is: 'left' | 'right' | 'restore'): string =>
  `view == ${viewIds.changes} && viewItem =~ /^change\\+.*${is}/`;
export const anyChange = `view == ${viewIds.changes} && viewItem =~ /^change/`;

/** The rows of snapshots below a volume; `restorable`: nothing is in the way of that. */
export const snapshotRow = `${isVolumesView} && viewItem =~ /^snapshot(\\+|$)/`;
export const restorableSnapshot = `${isVolumesView} && viewItem == snapshot+restorable`;
/** The row that holds them, where another one can be made. */
export const keepableSnapshots = `${isVolumesView} && viewItem == snapshots+keepable`;

/** The rows of files are in both views. Those that something can be put into: */
export const container = `${isEitherView} && viewItem =~ /^(volume\\+|root|mounted\\+volume|entry\\+folder)/`;
/** The files of a workspace that can be changed once that is allowed. */
export const lockedRootRow = `${isWorkspacesView} && viewItem == root+fixed+locked`;
/** Those of them that can be written to: the value of what is read-only ends in `+fixed`. */
export const writableFolder = `${isEitherView} && viewItem =~ /^(volume\\+|root$|mounted\\+volume$|entry\\+folder\\+\\w+$)/`;
/** Volumes, whose rows have another button there, are left out. */
export const writableFolderBelow = `${isEitherView} && viewItem =~ /^(root$|mounted\\+volume$|entry\\+folder\\+\\w+$)/`;
export const writableEntry = `${isEitherView} && viewItem =~ /^entry\\+\\w+\\+\\w+$/`;
export const file = `${isEitherView} && viewItem =~ /^entry\\+file/`;
export const fileOrFolder = `${isEitherView} && viewItem =~ /^entry\\+/`;
/** Those that can be copied, whole volumes as well. */
export const copyable = `${isEitherView} && viewItem =~ /^(volume\\+|mounted\\+volume|entry\\+)/`;
/** Into a folder, or beside a file. */
export const pasteTarget = `${isEitherView} && viewItem =~ /^(volume\\+|root$|mounted\\+volume$|entry\\+\\w+\\+\\w+$)/ && ${contextKey('berth.canPaste')}`;
