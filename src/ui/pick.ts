/**
 * The one way to a list to choose from, and to a text in the status bar. VS Code draws `$(name)` in both as an icon: what
 * workspaces, volumes, files and images are called must stay as it is. An icon of ours is an item's `iconPath`.
 */
import * as vscode from 'vscode';
import { plainLabel } from './plain-label';

/** The same item, with all its texts as they are. */
export function plainItem<Item extends vscode.QuickPickItem>(item: Item): Item {
  const { label, description, detail } = item;
  return {
    ...item,
    label: plainLabel(label),
    ...(description !== undefined && { description: plainLabel(description) }),
    ...(detail !== undefined && { detail: plainLabel(detail) }),
  };
}

/** Answers what was chosen; undefined when the list was closed. */
export function pickOne<Item extends vscode.QuickPickItem>(
  items: readonly Item[],
  options: vscode.QuickPickOptions,
): Thenable<Item | undefined> {
  return vscode.window.showQuickPick(items.map(plainItem), options);
}

/** Shows a text in the status bar for so many milliseconds. */
export function showInStatusBar(text: string, forMs: number): void {
  vscode.window.setStatusBarMessage(plainLabel(text), forMs);
}
