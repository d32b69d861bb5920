/** Keys in a view do what fits its selected rows: one command per key, sent on by the type of the row. */
import * as vscode from 'vscode';
import { isDirectory, type Row } from '../../providers/trees/rows';
import type { Handler, Services } from '../command';
import type { CommandId } from '../../ui/contributions/commands';

type Choice = (row: Row) => CommandId | 'list.toggleExpand' | undefined;

function forSelection({ targets }: Pick<Services, 'targets'>, choose: Choice): Handler {
  return async (target, selected) => {
    const rows = targets.rows(target, selected);
    const [first] = rows;
    const command = first && choose(first);
    if (command !== undefined) {
      await vscode.commands.executeCommand(command, first, rows);
    }
  };
}

/** Enter: opens a workspace or file, copies the SSH command, unfolds the rest. */
export const activateSelected = (services: Pick<Services, 'targets'>): Handler =>
  forSelection(services, activation);

/** Enter on a Mac: renames a file as the Explorer does there, and is Enter on the rest. */
export const renameOrActivate = (services: Pick<Services, 'targets'>): Handler =>
  forSelection(services, (row) => (isEntry(row) ? 'berth.file.rename' : activation(row)));

function activation(row: Row): ReturnType<Choice> {
  switch (row.type) {
    case 'workspace':
      return 'berth.workspace.open';
    case 'port':
      return 'berth.workspace.copySshCommand';
    case 'published':
      return 'berth.port.open';
    case 'mount':
      return 'berth.workspace.browseFiles';
    case 'user':
      return 'berth.view.showWorkspace';
    case 'snapshot':
      return 'berth.volume.browseSnapshot';
    case 'more':
      return 'berth.view.loadMore';
    case 'file':
      return isDirectory(row.entry) ? 'list.toggleExpand' : 'berth.file.open';
    default:
      return 'list.toggleExpand';
  }
}

/** Not what is mounted: that is no file. */
const isEntry = (row: Row): boolean => row.type === 'file' && row.inside?.mounted === undefined;

/** F2. */
export const renameSelected = (services: Pick<Services, 'targets'>): Handler =>
  forSelection(services, ({ type }) => {
    const commands: Partial<Record<Row['type'], CommandId>> = {
      workspace: 'berth.workspace.rename',
      file: 'berth.file.rename',
    };
    return commands[type];
  });

/** Delete. */
export const deleteSelected = (services: Pick<Services, 'targets'>): Handler =>
  forSelection(services, ({ type }) => {
    const commands: Partial<Record<Row['type'], CommandId>> = {
      workspace: 'berth.workspace.delete',
      volume: 'berth.volume.delete',
      snapshot: 'berth.volume.deleteSnapshot',
      file: 'berth.file.delete',
      published: 'berth.port.remove',
      operation: 'berth.operation.cancel',
    };
    return commands[type];
  });
