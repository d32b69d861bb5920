/** What a command works on: the clicked rows, the selection, a name, or what the user picks. */
import * as vscode from 'vscode';
import type { Volume, Workspace } from '../api';
import { rootFilesOf } from '../api/rules/root-files';
import type { EngineLink } from '../ui/engine-link';
import { placeOf } from '../providers/files/volume-uri';
import type { Store } from '../ui/store';
import { shownVolumes, sortVolumes, sortWorkspaces } from '../providers/trees/arrange';
import { isDirectory, isRow, type FileRow, type Row } from '../providers/trees/rows';
import { roleIcons, volumeDescription, volumeLabel } from '../providers/trees/volume-item';
import { stateIcon, workspaceDescription } from '../providers/trees/workspace-item';
import { fileScheme } from '../ui/ids';
import { Cancelled } from '../ui/runner';
import { showInformationMessage } from '../ui/messages';
import { pickOne } from '../ui/pick';

const { t } = vscode.l10n;
/** Keybindings pass one of these instead of a row; no workspace and no volume can be called so. */
export const selectionWords: ReadonlyMap<unknown, keyof Selections> = new Map([
  ['selection:workspaces', 'workspaces'],
  ['selection:volumes', 'volumes'],
]);

export interface VolumeChoice {
  placeHolder: string;
  /** Which volumes are offered to choose from; a clicked one is taken as it is. */
  offered?: (volume: Volume) => boolean;
  /** Said when there is none to choose from. */
  none?: string;
  /** It is about what others made: offered also where a setting hides that. */
  isOfOthers?: true;
}

export interface WorkspaceChoice {
  /** Which workspaces the command can work on; the others are ignored, and that is said. */
  eligible: (workspace: Workspace) => boolean;
  /** Of these, those to choose from when none was named; absent: all. */
  offered?: (workspace: Workspace) => boolean;
  placeHolder: string;
  /** Said when there is none. */
  none: string;
}

/** A place in a volume; `row` when it was clicked. */
export interface Place {
  volume: string;
  path: string;
  isFolder: boolean;
  row?: FileRow;
  /** The row of a mount that was clicked, whose place it is. */
  mount?: Extract<Row, { type: 'mount' }>;
}

export interface Selections {
  workspaces: readonly Row[];
  volumes: readonly Row[];
}

/** What is selected is read at once: by the time that the engine answers, somebody may have clicked elsewhere. */
export class Targets {
  constructor(
    private readonly link: Pick<EngineLink, 'client'>,
    private readonly store: Store,
    private readonly selections: () => Selections,
  ) {}

  /** Rows that the command was called with: selected ones when the clicked one is among them. */
  rows(target: unknown, selected: unknown): Row[] {
    const view = selectionWords.get(target);
    if (view !== undefined) {
      return [...this.selections()[view]];
    }
    const many = Array.isArray(selected) ? selected.filter(isRow) : [];
    return many.length > 0 ? many : isRow(target) ? [target] : [];
  }

  /** The workspaces to work on, at least one; throws `Cancelled` when there is none or the user backs out. */
  async workspaces(target: unknown, selected: unknown, choice: WorkspaceChoice): Promise<Workspace[]> {
    const named = this.namesOf(target, selected);
    await this.link.client();
    if (named.length === 0) {
      return [await this.pickWorkspace(choice)];
    }
    const found = named.map((name) => this.store.workspace(name)).filter((each) => each !== undefined);
    const eligible = found.filter((each) => choice.eligible(each));
    const ignored = named.length - eligible.length;
    if (eligible.length === 0) {
      throw this.nothing(choice.none);
    }
    if (ignored > 0) {
      void showInformationMessage(t('{0} of {1} ignored: {2}', ignored, named.length, choice.none));
    }
    return eligible;
  }

  /** The clicked or named workspace, else one that is chosen. Throws `Cancelled` when none is. */
  async workspace(target: unknown, choice: WorkspaceChoice): Promise<Workspace> {
    const [first] = await this.workspaces(target, undefined, choice);
    if (first === undefined) {
      throw new Cancelled();
    }
    return first;
  }

  async volumes(target: unknown, selected: unknown, choice: VolumeChoice): Promise<Volume[]> {
    const rows = this.rows(target, selected).map(volumeOfRow);
    await this.link.client();
    const named = isName(target) ? [target] : rows;
    const found = named.map((name) => (name === undefined ? undefined : this.store.volume(name)));
    const volumes = found.filter((each) => each !== undefined);
    return volumes.length > 0 ? volumes : [await this.pickVolume(choice)];
  }

  /** Places in volumes: file rows, volume rows (their root), `berth:` URIs; empty when called from the palette. */
  async places(target: unknown, selected: unknown): Promise<Place[]> {
    const rows = this.rows(target, selected);
    await this.link.client();
    const uris = (Array.isArray(selected) ? selected : [target]).filter((each) => each instanceof vscode.Uri);
    if (uris.length > 0) {
      return Promise.all(uris.filter(({ scheme }) => scheme === fileScheme).map((uri) => placeOfUri(uri)));
    }
    if (isName(target)) {
      return [await placeOfUri(vscode.Uri.parse(target, true))];
    }
    return rows.flatMap((row) => placeOfRow(row));
  }

  /**
   * One of the volumes that fit, by a list. Throws `Cancelled` when none is chosen, and says so where there is none.
   */
  async pickVolume({ placeHolder, offered, none, isOfOthers }: VolumeChoice): Promise<Volume> {
    await this.link.client();
    const { store } = this;
    const shown = isOfOthers === true ? store.volumes : shownVolumes(store.volumes);
    const volumes = sortVolumes(shown.filter(offered ?? (() => true)), 'name');
    if (volumes.length === 0) {
      throw this.nothing(none ?? t('There is no volume yet.'));
    }
    const items = volumes.map((volume) => {
      const isOwned = store.owns(volume.name);
      const label = volumeLabel(volume, isOwned);
      const description = volumeDescription(volume, isOwned);
      return {
        label,
        description: label === volume.name ? description : `${volume.name} · ${description}`,
        iconPath: new vscode.ThemeIcon(roleIcons[volume.role]),
        volume,
      };
    });
    const chosen = await pickOne(items, { placeHolder, matchOnDescription: true });
    if (chosen === undefined) {
      throw new Cancelled();
    }
    return chosen.volume;
  }

  private async pickWorkspace(choice: WorkspaceChoice): Promise<Workspace> {
    const eligible = sortWorkspaces(
      this.store.workspaces.filter(choice.offered ?? choice.eligible),
      'lastUsed',
    );
    if (eligible.length === 0) {
      throw this.nothing(choice.none);
    }
    const items = eligible.map((workspace) => ({
      label: workspace.label,
      description: workspaceDescription(workspace, undefined, ['state', 'image']),
      iconPath: stateIcon(workspace.state),
      workspace,
    }));
    const chosen = await pickOne(items, {
      placeHolder: choice.placeHolder,
      matchOnDescription: true,
    });
    if (chosen === undefined) {
      throw new Cancelled();
    }
    return chosen.workspace;
  }

  private namesOf(target: unknown, selected: unknown): string[] {
    if (isName(target)) {
      return [target];
    }
    return this.rows(target, selected).flatMap((row) => {
      const name = row.type === 'workspace' ? row.name : 'workspace' in row ? row.workspace : undefined;
      return name === undefined ? [] : [name];
    });
  }

  private nothing(why: string): Cancelled {
    void showInformationMessage(why);
    return new Cancelled(why);
  }
}

function isName(target: unknown): target is string {
  return typeof target === 'string' && !selectionWords.has(target);
}

/** The row of a volume, of where one is mounted, or of its snapshots. */
function volumeOfRow(row: Row): string | undefined {
  switch (row.type) {
    case 'volume':
      return row.name;
    case 'mount':
    case 'snapshot':
    case 'snapshots':
      return row.volume;
    default:
      return undefined;
  }
}

function placeOfRow(row: Row): Place[] {
  if (row.type === 'mount') {
    return [{ volume: row.volume, path: '/', isFolder: true, mount: row }];
  }
  if (row.type === 'volume') {
    return [{ volume: row.name, path: '/', isFolder: true }];
  }
  if (row.type === 'root') {
    return [{ volume: rootFilesOf(row.workspace), path: '/', isFolder: true }];
  }
  if (row.type === 'file') {
    return [{ volume: row.volume, path: row.path, isFolder: isDirectory(row.entry), row }];
  }
  return [];
}

async function placeOfUri(uri: vscode.Uri): Promise<Place> {
  const { type } = await vscode.workspace.fs.stat(uri);
  return { ...placeOf(uri), isFolder: (type & vscode.FileType.Directory) !== 0 };
}
