/** Which rows a key is meant for: no API tells which row has the focus, the selection does once the row is toggled in it. */
import * as vscode from 'vscode';

/** The selected rows when the focused one is among them, else the focused one alone. Leaves the selection as it was. */
export async function focusedRows<T>(view: Pick<vscode.TreeView<T>, 'selection'>): Promise<readonly T[]> {
  const before = view.selection;
  await toggle();
  const toggled = view.selection;
  await toggle();
  const added = toggled.find((row) => !before.includes(row));
  return added === undefined ? before : [added];
}

/** Of the row that has the focus, without opening it. */
const toggle = (): Thenable<unknown> => vscode.commands.executeCommand('list.toggleSelection');
