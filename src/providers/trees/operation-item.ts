/** How what is under way with a workspace looks: a row, and below it a checklist of its steps. */
import * as vscode from 'vscode';
import type { Operation, Step } from '../../api';
import { formatDuration } from '../../api/rules/duration';
import { engineWords } from '../../ui/operations/engine-words';
import { operationTitle } from '../../ui/operations/operation-title';
import { amountText, progressText } from '../../ui/progress';
import type { Store } from '../../ui/store';
import { rowId, type WorkspaceRow } from './rows';

const { t } = vscode.l10n;
const { Expanded, None } = vscode.TreeItemCollapsibleState;
type RowOf<T extends WorkspaceRow['type']> = Extract<WorkspaceRow, { type: T }>;

/** The row of an operation that is under way. */
export function operationItem(row: RowOf<'operation'>, store: Store): vscode.TreeItem {
  const operation = store.operation(row.id);
  const title = operation === undefined ? t('Operation') : operationTitle(operation, store);
  const progress = operation === undefined ? '' : progressText(operation);
  // Below its workspace it need not say again what is done with it: there is room for how far it is.
  const item = new vscode.TreeItem(progress === '' ? title : progress, hasList(operation) ? Expanded : None);
  item.id = rowId(row);
  item.iconPath = new vscode.ThemeIcon('loading~spin');
  item.tooltip = title;
  item.contextValue = operation?.cancellable === true ? 'operation+cancellable' : 'operation';
  item.accessibilityInformation = {
    label: t('Running: {0}, {1}', title, progress),
  };
  return item;
}

/** A single step is what the row of the operation says already. */
const hasList = (operation: Operation | undefined): boolean => (operation?.steps.length ?? 0) > 1;

/** The steps of an operation as rows. */
export function stepRows({ workspace, id }: RowOf<'operation'>, store: Store): WorkspaceRow[] {
  const operation = store.operation(id);
  const steps = hasList(operation) ? (operation?.steps ?? []) : [];
  return steps.map((_, index) => ({ type: 'step', workspace, operation: id, index }));
}

/** The row of a step: what it is, and how long it took or how far it is. */
export function stepItem(row: RowOf<'step'>, store: Store): vscode.TreeItem {
  const operation = store.operation(row.operation);
  const step = operation?.steps[row.index];
  const title = engineWords(step?.title ?? '');
  const item = new vscode.TreeItem(title);
  item.id = rowId(row);
  if (operation === undefined || step === undefined) {
    return item;
  }
  const { icon, word } = looks(step);
  const detail = step.outcome === 'running' ? amountText(operation.progress) : timeOf(step);
  item.description = detail;
  item.iconPath = icon;
  item.tooltip = step.message ?? title;
  item.contextValue = 'step';
  item.accessibilityInformation = {
    label: [title, word, detail].filter((part) => part !== '').join(', '),
  };
  return item;
}

const timeOf = ({ ms }: Step): string => (ms === undefined ? '' : formatDuration(ms));

function looks({ outcome }: Step): { icon: vscode.ThemeIcon; word: string } {
  const icon = (id: string, color?: string): vscode.ThemeIcon =>
    new vscode.ThemeIcon(id, color === undefined ? undefined : new vscode.ThemeColor(color));
  switch (outcome) {
    case 'pending':
      return { icon: icon('circle-outline', 'descriptionForeground'), word: t('to come') };
    case 'running':
      return { icon: icon('loading~spin'), word: t('running') };
    case 'done':
      return { icon: icon('pass', 'charts.green'), word: t('done') };
    case 'warning':
      return { icon: icon('warning', 'editorWarning.foreground'), word: t('done with a warning') };
    case 'failed':
      return { icon: icon('error', 'errorForeground'), word: t('failed') };
    case 'skipped':
      return { icon: icon('circle-slash', 'descriptionForeground'), word: t('skipped') };
  }
}
