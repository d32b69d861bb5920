/** Which rows a key is meant for: no API tells which row has the focus, the selection does once the row is toggled in it. */
import * as vscode from 'vscode';

type Selecting<T> = Pick<vscode.TreeView<T>, 'selection'>;

/** Finds them for one key after the other: of two keys in quick succession each would take the other's toggling for a selection. */
export class FocusedRows {
  private last: Promise<unknown> = Promise.resolve();

  /** The selected rows when the focused one is among them, else the focused one alone. Leaves the selection as it was. */
  of<T>(view: Selecting<T>): Promise<readonly T[]> {
    const rows = this.last.then(() => find(view));
    this.last = rows.catch(() => undefined);
    return rows;
  }
}

async function find<T>(view: Selecting<T>): Promise<readonly T[]> {
  const before = view.selection;
  await toggle();
  const toggled = view.selection;
  await toggle();
  const added = toggled.find((row) => !before.includes(row));
  return added === undefined ? before : [added];
}

/** Of the row that has the focus, without opening it. */
const toggle = (): Thenable<unknown> => vscode.commands.executeCommand('list.toggleSelection');
