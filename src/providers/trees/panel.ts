/** The panels that show when somebody hovers over a row: a title and a table of facts. */
import * as vscode from 'vscode';

const barCells = 10;

/** Text of images, labels and messages is shown as text, never as Markdown. */
export function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-!|<>&~]/g, '\\$&').replace(/\s+/g, ' ');
}

/** `███░░░░░░░`: how much of a whole is used; anything at all shows at least one cell. */
export function bar(fraction: number): string {
  const part = Math.min(1, Math.max(0, Number.isFinite(fraction) ? fraction : 0));
  const full = part === 0 ? 0 : Math.max(1, Math.round(part * barCells));
  return '█'.repeat(full) + '░'.repeat(barCells - full);
}

/** Facts without a value are left out. */
export function panel(
  title: string,
  state: string,
  facts: readonly (readonly [string, string | undefined])[],
): vscode.MarkdownString {
  const text = new vscode.MarkdownString('', true);
  text.appendMarkdown(`**${escaped(title)}** — ${escaped(state)}\n\n| | |\n|---|---|\n`);
  for (const [key, value] of facts) {
    if (value !== undefined && value !== '') {
      text.appendMarkdown(`| ${escaped(key)} | ${escaped(value)} |\n`);
    }
  }
  return text;
}
