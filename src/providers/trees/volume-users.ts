/** Who uses a volume, as rows below it. */
import * as vscode from 'vscode';
import type { Holder, Volume, Workspace, WorkspaceState } from '../../api';
import type { Store } from '../../ui/store';
import { holderStateWord, stateWord } from '../../ui/words';
import { decorated } from '../row-uri';
import { rowId, type VolumeRow } from './rows';
import { stateIcon } from './workspace-item';

const { t } = vscode.l10n;

export interface VolumeUser {
  /** Of the workspace; of a runtime that is no workspace's its own. */
  name: string;
  /** Of a workspace, where it is known. */
  label?: string;
  state: WorkspaceState | Holder['state'];
  readOnly: boolean;
  /** Where it is mounted, as far as that is known. */
  targets: readonly string[];
}

/** All but the workspace that the volume belongs to, which the volume is called after. Sorted by name, each name once. */
export function usersOf(
  { name, holders, workspace: owner }: Volume,
  workspaces: readonly Workspace[],
): VolumeUser[] {
  const planned = workspaces.flatMap((workspace): VolumeUser[] => {
    const mounts = (workspace.spec.mounts ?? []).filter(
      ({ kind, source }) => kind === 'volume' && source === name,
    );
    const { label, state } = workspace;
    return mounts.length === 0
      ? []
      : [
          {
            ...{ name: workspace.name, label, state },
            readOnly: mounts.every(({ readOnly }) => readOnly),
            targets: mounts.map(({ target }) => target),
          },
        ];
  });
  const others = holders
    .filter(({ workspace }) => workspace === undefined || planned.every((each) => each.name !== workspace))
    .map(({ workspace, runtime, state, readOnly }): VolumeUser => ({
      name: workspace ?? runtime,
      state,
      readOnly,
      targets: [],
    }));
  return (
    [...planned, ...others]
      .filter((user) => user.name !== owner)
      // Somebody's container may be called as a workspace is, and a view has each row once.
      .filter((user, index, all) => all.findIndex((each) => each.name === user.name) === index)
      .sort((a, b) => a.name.localeCompare(b.name))
  );
}

/** The row of a user; a click shows the workspace in its own view. */
export function userItem(row: Extract<VolumeRow, { type: 'user' }>, store: Store): vscode.TreeItem {
  const volume = store.volume(row.volume);
  const user = volume && usersOf(volume, store.workspaces).find(({ name }) => name === row.name);
  const item = new vscode.TreeItem(t('Used by {0}', user?.label ?? row.name));
  item.id = rowId(row);
  if (user === undefined) {
    return item;
  }
  const isKnown = store.workspace(user.name) !== undefined;
  item.description = [
    user.state === 'unknown' ? holderStateWord(user.state) : stateWord(user.state),
    ...user.targets,
    ...(user.readOnly ? [t('read-only')] : []),
  ].join(' · ');
  item.iconPath = user.state === 'unknown' ? new vscode.ThemeIcon('question') : stateIcon(user.state);
  item.contextValue = 'user';
  item.accessibilityInformation = {
    label: `${t('Used by {0}', user.label ?? user.name)}, ${item.description}`,
  };
  const [target] = user.targets;
  if (user.readOnly && target !== undefined) {
    item.resourceUri = decorated('mount', user.name, target);
  }
  if (isKnown) {
    item.command = {
      command: 'berth.view.showWorkspace',
      title: t('Show Workspace'),
      arguments: [user.name],
    };
  }
  return item;
}
