/** How lines that were found are counted in words, and selected in an editor. */
import * as vscode from 'vscode';
import type { FoundLine } from '../../api';

const { t } = vscode.l10n;

/** `7 lines`. */
export const linesWords = (count: number): string => (count === 1 ? t('1 line') : t('{0} lines', count));

/** The first match. */
export function selectionOf({
  line,
  column,
  length,
}: Pick<FoundLine, 'line' | 'column' | 'length'>): vscode.Range {
  return new vscode.Range(line - 1, column - 1, line - 1, column - 1 + length);
}
