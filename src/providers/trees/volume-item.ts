/** How volumes, files and folders look as rows. */
import * as vscode from 'vscode';
import { mebibyte } from '../../api/rules/sizes';
import { formatBytes } from '../../ui/sizes';
import type { FileEntry, Volume } from '../../api';
import { originOf } from '../../api/rules/home-volume';
import { workspaceOfRoot } from '../../api/rules/root-files';
import { ownerOf } from '../../api/rules/owner';
import { canBeKept, canBeRestored, canHaveSnapshots } from '../../api/snapshots/possible';
import { volumeTraits, type VolumeTrait } from '../../ui/contributions/command-row';
import { volumeUri } from '../files/volume-uri';
import { isForEditor } from '../files/editor-size';
import { holderStateWord, time, usedWords } from '../../ui/words';
import { decorated } from '../row-uri';
import { panel } from './panel';
import { isDirectory, rowId, type FileRow, type VolumeRow } from './rows';

const { t } = vscode.l10n;
type RowOf<T extends VolumeRow['type']> = Extract<VolumeRow, { type: T }>;

/** What a volume is for, in words, e.g. `home of demo`. */
export function roleWord(volume: Volume): string {
  switch (volume.role) {
    case 'home':
      return volume.workspace === undefined ? t('home') : t('home of {0}', volume.workspace);
    case 'docker':
      return volume.workspace === undefined ? t('Docker data') : t('Docker data of {0}', volume.workspace);
    case 'session':
      return t('session');
    case 'foreign':
      return t('other tool');
    case 'named':
      return t('named');
  }
}

/** The kind of a volume in words. */
export function kindWord(kind: Volume['kind']): string {
  return { docker: t('Docker volume'), disk: t('disk'), directory: t('folder') }[kind];
}

/** What a row is called: a volume that a workspace of this installation has for its own, by that workspace. */
export function volumeLabel({ name, workspace }: Volume, isOwned: boolean): string {
  return isOwned && workspace !== undefined ? workspace : name;
}

/** Whose it is, is said by the label, or by the name of a home volume. */
function shortRole(volume: Volume, isOwned: boolean): string {
  const isNamedAfter = volume.workspace !== undefined && volume.name.includes(volume.workspace);
  const { workspace: _, ...anonymous } = volume;
  return roleWord(isOwned || isNamedAfter ? anonymous : volume);
}

/** How much is in it, and how large it is, as far as that is known. */
export function sizeWord(volume: Volume): string | undefined {
  const used = usedWords(volume);
  if (used !== undefined) {
    return volume.sizeMiB === undefined
      ? used
      : t('{0} of {1}', used, formatBytes(volume.sizeMiB * mebibyte));
  }
  return volume.sizeMiB === undefined ? undefined : formatBytes(volume.sizeMiB * mebibyte);
}

function holderWord(volume: Volume): string | undefined {
  const active = volume.holders.filter(({ state }) => state !== 'stopped');
  const isOwn = active.every(({ workspace }) => workspace !== undefined && workspace === volume.workspace);
  if (active[0]?.state === 'running' && isOwn) {
    return t('in use');
  }
  const [first, ...more] = active.map(({ workspace, runtime, state }) =>
    state === 'running'
      ? t('in use by {0}', workspace ?? runtime)
      : t('used by {0} ({1})', workspace ?? runtime, holderStateWord(state)),
  );
  return more.length === 0 ? first : t('{0} and {1} more', first ?? '', more.length);
}

/** What it is and where: whose, role, kind, machine. `isOwned`: its label is that of its workspace. */
export function natureWords(volume: Volume, isOwned: boolean): string[] {
  return [
    volume.owner === undefined ? undefined : t('another installation'),
    volume.role === 'named' ? kindWord(volume.kind) : shortRole(volume, isOwned),
    volume.role !== 'named' && volume.kind !== 'docker' ? kindWord(volume.kind) : undefined,
    volume.target === undefined ? undefined : t('on {0}', volume.target),
  ].filter((word) => word !== undefined);
}

/** What stands behind a volume's label: what it is, its size, who has it. `isOwned`: the label is that of its workspace. */
export function volumeDescription(volume: Volume, isOwned = false): string {
  return [...natureWords(volume, isOwned), sizeWord(volume), holderWord(volume)]
    .filter((word) => word !== undefined)
    .join(' · ');
}

/** Also in lists to choose from. */
export const roleIcons: Record<Volume['role'], string> = {
  home: 'home',
  docker: 'package',
  named: 'database',
  session: 'beaker',
  foreign: 'archive',
};

/** What can be done with it. `isOwned`: a workspace of this installation has it for its own. */
export function traitsOf(volume: Volume, isOwned: boolean): VolumeTrait[] {
  const { name, kind, role, managed, holders } = volume;
  const owner = ownerOf(volume);
  const isStill = holders.every(({ state }) => state === 'stopped');
  const traits: Record<VolumeTrait, boolean> = {
    adoptable: !isOwned && role !== 'docker' && originOf(name) !== undefined,
    ofTool: !managed && kind === 'docker' && owner === undefined,
    ofInstallation: !managed && kind === 'docker' && owner !== undefined,
    ours: volume.owner === undefined,
    deletable: !isOwned && holders.length === 0 && volume.owner === undefined && volume.protected !== true,
    resizable: kind === 'disk' && volume.owner === undefined && isStill,
    keepable: canBeKept(volume),
    restorable: canBeRestored(volume),
    kept: canHaveSnapshots(volume),
    protected: volume.owner === undefined && volume.protected === true,
    unprotected: volume.owner === undefined && volume.protected !== true,
  };
  return volumeTraits.filter((trait) => traits[trait]);
}

/** The row of a volume; of one that is gone meanwhile its name alone. */
export function volumeItem(
  row: RowOf<'volume'>,
  volume: Volume | undefined,
  isOwned: boolean,
): vscode.TreeItem {
  const label = volume === undefined ? row.name : volumeLabel(volume, isOwned);
  const item = new vscode.TreeItem(label, vscode.TreeItemCollapsibleState.Collapsed);
  item.id = rowId(row);
  if (volume === undefined) {
    return item;
  }
  const isHeld = volume.holders.some(({ state }) => state === 'running');
  item.description = volumeDescription(volume, isOwned);
  item.iconPath = new vscode.ThemeIcon(
    roleIcons[volume.role],
    isHeld ? new vscode.ThemeColor('charts.green') : undefined,
  );
  item.resourceUri = decorated('volume', volume.name);
  item.contextValue = [`volume+${volume.kind}+${volume.role}`, ...traitsOf(volume, isOwned)].join('+');
  item.accessibilityInformation = {
    label: t('Volume {0}, {1}', label, item.description),
    role: 'treeitem',
  };
  return item;
}

function holdersText({ holders }: Volume): string {
  const words = holders.map(
    ({ runtime, state, readOnly }) =>
      `${runtime} (${holderStateWord(state)}${readOnly ? `, ${t('read-only')}` : ''})`,
  );
  return words.join(', ') || t('nothing (you can still browse and edit it)');
}

function makerWord({ managed, owner }: Volume): string | undefined {
  if (owner !== undefined) {
    return t('another installation of Berth ({0})', owner.home ?? owner.installation);
  }
  return managed ? undefined : t('another tool');
}

/** What is known of a volume, as Markdown. */
export function volumeTooltip(volume: Volume): vscode.MarkdownString {
  return panel(volume.name, roleWord(volume), [
    [t('Kind'), kindWord(volume.kind)],
    [t('Machine'), volume.target],
    [t('Size'), sizeWord(volume) ?? t('not measured yet')],
    [t('Used by'), holdersText(volume)],
    [t('Protected'), volume.protected === true ? t('from delete') : undefined],
    [t('Made by'), makerWord(volume)],
    [t('Created'), volume.createdAt === undefined ? undefined : time(volume.createdAt)],
  ]);
}

/** Any row below a folder. */
export function entryItem(row: RowOf<'file' | 'more' | 'notice'>): vscode.TreeItem {
  switch (row.type) {
    case 'file':
      return fileItem(row);
    case 'more':
      return moreItem(row);
    case 'notice':
      return noticeItem(row);
  }
}

function fileItem(row: FileRow): vscode.TreeItem {
  const { entry } = row;
  const isFolder = isDirectory(entry);
  const { None, Collapsed } = vscode.TreeItemCollapsibleState;
  const item = new vscode.TreeItem(entry.name, isFolder ? Collapsed : None);
  item.id = rowId(row);
  item.resourceUri = entryUri(row);
  item.iconPath = isFolder ? vscode.ThemeIcon.Folder : vscode.ThemeIcon.File;
  item.description = entry.type === 'symlink' ? `→ ${entry.linkTarget ?? '?'}` : undefined;
  const isFixed = row.inside?.readOnly === true ? '+fixed' : '';
  item.contextValue = `entry+${isFolder ? 'folder' : 'file'}+${entry.type}${isFixed}`;
  item.accessibilityInformation = { label: fileLabel(entry, isFolder), role: 'treeitem' };
  if (row.inside?.mounted !== undefined) {
    showMounted(item, row);
  } else if (!isFolder) {
    item.command = openCommand(row);
  }
  return item;
}

/** What its icon and its mark go by; one file can be read-only in a workspace and not in the Volumes view. */
function entryUri({ volume, path, inside }: FileRow): vscode.Uri {
  return inside?.readOnly === true && workspaceOfRoot(volume) === undefined
    ? decorated('fixed', inside.workspace, inside.path)
    : volumeUri(volume, path);
}

/** Inside of a workspace: a folder that is a volume, or something that its runtime brings. */
function showMounted(item: vscode.TreeItem, { volume, entry, inside }: FileRow): void {
  const isVolume = inside?.mounted === 'volume';
  item.description = [
    isVolume ? t('volume {0}', volume) : t('mounted'),
    inside?.readOnly ? t('read-only') : '',
  ]
    .filter((word) => word !== '')
    .join(' · ');
  item.iconPath = new vscode.ThemeIcon(isVolume ? 'database' : 'folder-library');
  item.contextValue = isVolume ? `mounted+volume${inside.readOnly ? '+fixed' : ''}` : 'mounted+other';
  item.accessibilityInformation = { label: `${entry.name}, ${item.description}`, role: 'treeitem' };
}

/** VS Code's own command knows a click, which leaves the focus in the tree, from Enter; ours asks about large files. */
function openCommand(row: FileRow): vscode.Command {
  const title = t('Open File');
  return isForEditor(row.entry)
    ? { command: 'vscode.open', title, arguments: [volumeUri(row.volume, row.path)] }
    : { command: 'berth.file.open', title, arguments: [row] };
}

function fileLabel(entry: FileEntry, isFolder: boolean): string {
  if (entry.type === 'symlink') {
    return t('{0}, link to {1}', entry.name, entry.linkTarget ?? '?');
  }
  return isFolder ? t('{0}, folder', entry.name) : t('{0}, file, {1}', entry.name, formatBytes(entry.size));
}

/** What is known of a file, as Markdown. */
export function fileTooltip({ volume, path, entry }: FileRow): vscode.MarkdownString {
  const text = new vscode.MarkdownString();
  text.appendText(`${volume}:${path}`);
  const mode = (entry.mode & 0o7777).toString(8).padStart(4, '0');
  text.appendMarkdown('\n\n');
  text.appendText(
    [
      isDirectory(entry) ? undefined : formatBytes(entry.size),
      mode,
      `${entry.uid}:${entry.gid}`,
      time(new Date(entry.mtimeMs).toISOString()),
    ]
      .filter((word) => word !== undefined)
      .join(' · '),
  );
  return text;
}

function moreItem(row: RowOf<'more'>): vscode.TreeItem {
  const item = new vscode.TreeItem(t('Load more…'));
  item.id = rowId(row);
  item.description = t('{0} of {1} shown', row.shown, row.total);
  item.iconPath = new vscode.ThemeIcon('ellipsis');
  item.contextValue = 'more';
  item.command = { command: 'berth.view.loadMore', title: t('Load more…'), arguments: [row] };
  item.accessibilityInformation = {
    label: t('Load more, {0} of {1} shown', row.shown, row.total),
    role: 'button',
  };
  return item;
}

function noticeItem(row: RowOf<'notice'>): vscode.TreeItem {
  const item = new vscode.TreeItem(row.message);
  item.id = rowId(row);
  item.tooltip = row.message;
  item.iconPath = new vscode.ThemeIcon('warning', new vscode.ThemeColor('editorWarning.foreground'));
  item.contextValue = 'notice';
  item.accessibilityInformation = { label: row.message };
  return item;
}
