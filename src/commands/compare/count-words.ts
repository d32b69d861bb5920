import * as vscode from 'vscode';
import type { ChangeCounts } from './change-nodes';

const { t } = vscode.l10n;

/** `12 added, 1 removed, 3 changed`: those that there are. */
export function countWords({ added, removed, changed, type, metadata }: ChangeCounts): string {
  const all = changed + type + metadata;
  return [
    added === 0 ? '' : t('{0} added', added),
    removed === 0 ? '' : t('{0} removed', removed),
    all === 0 ? '' : t('{0} changed', all),
  ]
    .filter((words) => words !== '')
    .join(', ');
}
