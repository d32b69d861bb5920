/** What has changed between two sides, as a tree that stays: folders with counts, each change with its letter. */
import * as vscode from 'vscode';
import type { Change, CompareFailure } from '../../api';
import type { ContextKeys } from '../../providers/context-keys';
import { viewIds } from '../../ui/ids';
import { printable } from '../../ui/plain-label';
import { changeWords } from '../snapshot/change-words';
import type { ComparedSides } from '../snapshot/open-changes';
import { changeMarks, uriOfChange } from './change-marks';
import { ChangeNodes, childrenOf, isFolder, shortCounts, type CompactNode } from './change-nodes';
import { countWords } from './count-words';

const { t } = vscode.l10n;
const { Collapsed, Expanded, None } = vscode.TreeItemCollapsibleState;
/** So many rows of a folder at once: the others are below a row of their own. */
const pageSize = 1_000;
/** With more of them, folders are closed at first. */
const maxOpen = 400;

export type ChangeRow =
  | ({ type: 'change' } & CompactNode)
  | { type: 'rest'; rows: readonly CompactNode[] }
  | { type: 'failures' }
  | { type: 'failure'; failure: CompareFailure };

/** What the view says, and what can be done with its rows. */
export interface ShownChanges {
  sides: ComparedSides;
  changes: ChangeNodes;
  failures: readonly CompareFailure[];
}

export class ChangesTree implements vscode.TreeDataProvider<ChangeRow> {
  private readonly emitter = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.emitter.event;
  private shown: ShownChanges | undefined;
  private view: vscode.TreeView<ChangeRow> | undefined;
  /** Rows of another comparison are others, however they are called. */
  private generation = 0;

  constructor(
    private readonly keys: Pick<ContextKeys, 'set'>,
    private readonly context: Pick<vscode.ExtensionContext, 'subscriptions'>,
  ) {}

  /** In place of what was there before. */
  async show(shown: ShownChanges): Promise<void> {
    const { before, after } = shown.sides;
    this.take(shown);
    const view = (this.view ??= this.create());
    view.description = `${before.title} ↔ ${after.title}`;
    await vscode.commands.executeCommand(`${viewIds.changes}.focus`);
  }

  take(shown: ShownChanges): void {
    this.generation++;
    this.shown = shown;
    this.keys.set('berth.hasChanges', true);
    this.keys.set('berth.canTakeLeft', this.takes('left'));
    this.keys.set('berth.canTakeRight', this.takes('right'));
    this.keys.set('berth.canTakeBack', this.takes('restore'));
    this.emitter.fire(undefined);
  }

  /** Draws what has come since. */
  draw(message: string): void {
    if (this.view !== undefined) {
      this.view.message = message;
    }
    this.emitter.fire(undefined);
  }

  /** Takes the view away with all that is in it. */
  clear(): void {
    this.shown = undefined;
    this.keys.set('berth.hasChanges', false);
    this.emitter.fire(undefined);
  }

  getChildren(row?: ChangeRow): ChangeRow[] {
    if (this.shown === undefined) {
      return [];
    }
    const { changes, failures } = this.shown;
    switch (row?.type) {
      case undefined:
        return [
          ...(failures.length > 0 ? [{ type: 'failures' } as const] : []),
          ...rowsOf([...ownChange(changes), ...childrenOf(changes.root)]),
        ];
      case 'change':
        return rowsOf(childrenOf(row.node));
      case 'rest':
        return rowsOf(row.rows);
      case 'failures':
        return failures.map((failure) => ({ type: 'failure', failure }));
      case 'failure':
        return [];
    }
  }

  getTreeItem(row: ChangeRow): vscode.TreeItem {
    const item = this.itemOf(row);
    item.id = `${this.generation}:${idOf(row)}`;
    return item;
  }

  private itemOf(row: ChangeRow): vscode.TreeItem {
    switch (row.type) {
      case 'change':
        return this.changeItem(row);
      case 'rest':
        return new vscode.TreeItem(t('… and {0} more', row.rows.length), Collapsed);
      case 'failures':
        return this.failuresItem();
      case 'failure':
        return this.failureItem(row.failure);
    }
  }

  private changeItem(row: Extract<ChangeRow, { type: 'change' }>): vscode.TreeItem {
    const { node, label } = row;
    const isOpen = (this.shown?.changes.total ?? 0) <= maxOpen;
    const state = node.children.size === 0 ? None : isOpen ? Expanded : Collapsed;
    const item = new vscode.TreeItem(printable(label) || '/', state);
    const { change } = node;
    const words = change === undefined ? [] : [changeWords(change)];
    const counts = node.children.size === 0 ? [] : [countWords(node.counts)];
    item.description = node.children.size === 0 ? detailOf(change) : shortCounts(node.counts);
    item.iconPath = isFolder(node) ? vscode.ThemeIcon.Folder : vscode.ThemeIcon.File;
    item.tooltip = [printable(node.path), [...words, ...counts].join(' · ')].join('\n');
    item.accessibilityInformation = { label: [printable(label), ...words, ...counts].join(', ') };
    if (change !== undefined) {
      item.resourceUri = uriOfChange(change);
    }
    if (change !== undefined && node.children.size === 0) {
      item.command = { command: 'berth.changes.open', title: t('Open Change'), arguments: [row] };
    }
    const ways = (['left', 'right', 'restore'] as const).filter((way) => this.takes(way));
    item.contextValue = ['change', ...(node.children.size === 0 ? ['file'] : []), ...ways].join('+');
    return item;
  }

  /** Snapshots stay as they are; of what is compared with one of its own, it is a way back. */
  private takes(way: 'left' | 'right' | 'restore'): boolean {
    const { before, after } = this.shown?.sides ?? {};
    const isBack = before?.isFixed === true && after?.isFixed !== true;
    return way === 'left'
      ? before?.isFixed !== true
      : isBack === (way === 'restore') && after?.isFixed !== true;
  }

  private failuresItem(): vscode.TreeItem {
    const count = this.shown?.failures.length ?? 0;
    const item = new vscode.TreeItem(t('{0} could not be read', count), Collapsed);
    item.iconPath = new vscode.ThemeIcon('warning');
    return item;
  }

  private failureItem({ path, side, reason }: CompareFailure): vscode.TreeItem {
    const item = new vscode.TreeItem(printable(path), None);
    const where = this.shown?.sides[side].title ?? '';
    item.description = t('could not be read in {0}: {1}', where, printable(reason));
    item.tooltip = `${printable(path)}\n${item.description}`;
    return item;
  }

  private create(): vscode.TreeView<ChangeRow> {
    const view = vscode.window.createTreeView(viewIds.changes, {
      treeDataProvider: this,
      showCollapseAll: true,
      canSelectMany: true,
    });
    const marks = vscode.window.registerFileDecorationProvider(changeMarks);
    this.context.subscriptions.push(view, this.emitter, marks);
    return view;
  }
}

/** That of the folders themselves which were compared. */
function ownChange({ root }: ChangeNodes): CompactNode[] {
  return root.change === undefined ? [] : [{ top: root, node: { ...root, children: new Map() }, label: '/' }];
}

function rowsOf(nodes: readonly CompactNode[]): ChangeRow[] {
  const rows = nodes.slice(0, pageSize).map((node) => ({ type: 'change', ...node }) as const);
  return nodes.length > pageSize ? [...rows, { type: 'rest', rows: nodes.slice(pageSize) }] : rows;
}

function idOf(row: ChangeRow): string {
  switch (row.type) {
    case 'change':
      return `change:${row.node.path}`;
    case 'rest':
      return `rest:${row.rows[0]?.node.path ?? ''}`;
    case 'failures':
      return 'failures';
    case 'failure':
      return `failure:${row.failure.side}:${row.failure.path}`;
  }
}

/** What the letter does not say. */
function detailOf(change: Change | undefined): string {
  const isPlain = change === undefined || change.kind === 'added' || change.kind === 'removed';
  return isPlain || change.kind === 'changed' ? '' : changeWords(change);
}
