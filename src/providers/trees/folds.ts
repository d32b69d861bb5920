/**
 * Which rows the user unfolded or folded. VS Code keeps that of a row only as long as the row stays where it is: one that moves
 * to another group, or comes again after the engine was away, would be as at first.
 */
import * as vscode from 'vscode';
import { rowId, type Row } from './rows';

const { Collapsed, Expanded, None } = vscode.TreeItemCollapsibleState;

export class Folds {
  private readonly states = new Map<string, vscode.TreeItemCollapsibleState>();

  set(row: Row, isUnfolded: boolean): void {
    this.states.set(rowId(row), isUnfolded ? Expanded : Collapsed);
  }

  /** As the user left it; a row without anything below it stays so. */
  apply(row: Row, item: vscode.TreeItem): vscode.TreeItem {
    const state = this.states.get(rowId(row));
    if (state !== undefined && item.collapsibleState !== None) {
      item.collapsibleState = state;
    }
    return item;
  }
}
