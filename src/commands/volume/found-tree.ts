/** What a search has found, as a tree that stays while one line after the other is looked at: files, and the lines of each. */
import * as vscode from 'vscode';
import type { FoundLine } from '../../api';
import { baseName, parentPath } from '../../api/rules/volume-path';
import type { ContextKeys } from '../../providers/context-keys';
import { volumeUri } from '../../providers/files/volume-uri';
import { viewIds } from '../../ui/ids';
import { byPath } from './found-text';
import { linesWords, selectionOf } from './found-words';

const { t } = vscode.l10n;
const { Expanded, None } = vscode.TreeItemCollapsibleState;
/** Longer lines come cut, so that nobody knows where the match is in them. */
const maxWhole = 400;
/** So much of a line shows before the match. */
const maxBefore = 16;

export interface FoundSearch {
  volume: string;
  /** What was asked. */
  title: string;
  /** What came of it. */
  summary: string;
  lines: readonly FoundLine[];
}

export interface FoundFile {
  path: string;
  lines: readonly FoundLine[];
}

export type FoundRow = FoundFile | FoundLine;

const isFile = (row: FoundRow): row is FoundFile => 'lines' in row;

export class FoundTree implements vscode.TreeDataProvider<FoundRow> {
  private readonly emitter = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.emitter.event;
  private files: FoundFile[] = [];
  private volume = '';
  private view: vscode.TreeView<FoundRow> | undefined;

  constructor(
    private readonly keys: Pick<ContextKeys, 'set'>,
    private readonly context: Pick<vscode.ExtensionContext, 'subscriptions'>,
  ) {}

  /** In place of what was found before; the first file has the focus. */
  async show({ volume, title, summary, lines }: FoundSearch): Promise<void> {
    this.take(volume, lines);
    this.keys.set('berth.hasFound', true);
    const view = (this.view ??= this.create());
    Object.assign(view, { description: title, message: summary });
    await vscode.commands.executeCommand(`${viewIds.found}.focus`);
    const [first] = this.files;
    if (first !== undefined) {
      await view.reveal(first, { focus: true, select: false });
    }
  }

  /** Takes the view away with all that is in it. */
  clear(): void {
    this.take('', []);
    this.keys.set('berth.hasFound', false);
  }

  take(volume: string, lines: readonly FoundLine[]): void {
    this.volume = volume;
    this.files = [...byPath(lines)]
      .map(([path, found]) => ({ path, lines: found.sort((one, other) => one.line - other.line) }))
      .sort((one, other) => (one.path < other.path ? -1 : 1));
    this.emitter.fire(undefined);
  }

  getChildren(row?: FoundRow): FoundRow[] {
    return row === undefined ? this.files : isFile(row) ? [...row.lines] : [];
  }

  getParent(row: FoundRow): FoundRow | undefined {
    return isFile(row) ? undefined : this.files.find(({ path }) => path === row.path);
  }

  getTreeItem(row: FoundRow): vscode.TreeItem {
    return isFile(row) ? this.fileItem(row) : this.lineItem(row);
  }

  private create(): vscode.TreeView<FoundRow> {
    const view = vscode.window.createTreeView(viewIds.found, {
      treeDataProvider: this,
      showCollapseAll: true,
    });
    this.context.subscriptions.push(view, this.emitter);
    return view;
  }

  private fileItem({ path, lines }: FoundFile): vscode.TreeItem {
    const item = new vscode.TreeItem(baseName(path), Expanded);
    const count = linesWords(lines.length);
    const folder = parentPath(path);
    item.id = `file:${this.volume}:${path}`;
    item.description = folder === '/' ? count : `${folder.slice(1)} · ${count}`;
    item.tooltip = `${this.volume}:${path}`;
    item.resourceUri = volumeUri(this.volume, path);
    item.iconPath = vscode.ThemeIcon.File;
    item.accessibilityInformation = { label: `${path}, ${count}` };
    return item;
  }

  private lineItem(found: FoundLine): vscode.TreeItem {
    const { path, line, text } = found;
    const item = new vscode.TreeItem(labelOf(found), None);
    item.id = `line:${line}:${this.volume}:${path}`;
    item.description = String(line);
    item.tooltip = text;
    item.command = {
      command: 'vscode.open',
      title: t('Open File'),
      arguments: [volumeUri(this.volume, path), { selection: selectionOf(found) }],
    };
    item.accessibilityInformation = { label: t('Line {0}: {1}', line, text.trim()) };
    return item;
  }
}

/** Without the space before it, and from soon before the match on, which stands out: a side bar is narrow. */
function labelOf({ text, column, length }: FoundLine): vscode.TreeItemLabel {
  const label = text.trim();
  const at = column - 1 - (text.length - text.trimStart().length);
  if (text.length >= maxWhole || at < 0 || at >= label.length) {
    return { label: label === '' ? ' ' : label };
  }
  const [before, cut] = at > maxBefore ? ['…', at - maxBefore] : ['', 0];
  const start = at - cut + before.length;
  const shown = before + label.slice(cut);
  return { label: shown, highlights: [[start, Math.min(start + length, shown.length)]] };
}
