/** The rows of a list of changes: what could not be read first, then the changes by their paths; so many and no more. */
import * as vscode from 'vscode';
import type { Change, CompareFailure } from '../../api';
import { printable } from '../../ui/plain-label';
import { changeWords } from './change-words';

const { t } = vscode.l10n;
/** Nobody reads more, and the window takes no list of any length. */
const maxRows = 10_000;
/** The whole list goes to the window each time: in between it grows by so much of itself. */
const growth = 1.25;
const icons: Readonly<Record<Change['kind'], string>> = {
  ...{ added: 'diff-added', removed: 'diff-removed', changed: 'diff-modified' },
  ...{ type: 'diff-renamed', metadata: 'settings' },
};

export interface ChangeRow extends vscode.QuickPickItem {
  /** Absent of a row that says something else. */
  change?: Change;
  failure?: CompareFailure;
}

export type ChangeItem = ChangeRow & { change: Change };

export class ChangeRows {
  /** As they came, but for those that were drawn. */
  private readonly changes: ChangeItem[] = [];
  private readonly failures: ChangeRow[] = [];
  private left = 0;
  private drawn = 0;

  /** `buttonsOf` a row, and the title of each side. */
  constructor(
    private readonly buttonsOf: (change: Change) => vscode.QuickInputButton[],
    private readonly titles: Record<CompareFailure['side'], string>,
  ) {}

  add(changes: readonly Change[]): void {
    const taken = changes.slice(0, Math.max(0, maxRows - this.shown));
    this.left += changes.length - taken.length;
    this.changes.push(...taken.map((change) => this.itemOf(change)));
  }

  addFailures(failures: readonly CompareFailure[]): void {
    const taken = failures.slice(0, Math.max(0, maxRows - this.shown));
    this.left += failures.length - taken.length;
    this.failures.push(...taken.map((failure) => this.failedItem(failure)));
  }

  /** Those in the list, and how many changes there are in all. */
  get opened(): { changes: readonly ChangeItem[]; left: number } {
    return { changes: this.sorted(), left: this.left };
  }

  /** Whether enough is new to show the list again. */
  get isDue(): boolean {
    return this.shown > this.drawn * growth;
  }

  /** All rows, in their order; their texts are those of files. */
  draw(): ChangeRow[] {
    this.drawn = this.shown;
    return [...this.failures, ...this.sorted(), ...(this.left > 0 ? [this.more()] : [])];
  }

  private sorted(): readonly ChangeItem[] {
    return this.changes.sort((one, other) => (one.change.path < other.change.path ? -1 : 1));
  }

  private get shown(): number {
    return this.changes.length + this.failures.length;
  }

  private more(): ChangeRow {
    const label = t('… and {0} more', this.left);
    return { label, description: t('“berth snapshot diff” shows all of them'), alwaysShow: true };
  }

  private itemOf(change: Change): ChangeItem {
    const buttons = this.buttonsOf(change);
    const iconPath = new vscode.ThemeIcon(icons[change.kind]);
    return { label: printable(change.path), description: changeWords(change), change, buttons, iconPath };
  }

  private failedItem(failure: CompareFailure): ChangeRow {
    const { path, side, reason } = failure;
    const description = t('could not be read in {0}: {1}', this.titles[side], printable(reason));
    const iconPath = new vscode.ThemeIcon('warning');
    return { label: printable(path), description, failure, iconPath };
  }
}
