/** What was found, as a text that is read like that of VS Code's search editor. Free of `vscode`. */
import type { FoundLine } from '../../api';

export interface FoundLink {
  /** Of the text, from 0. */
  row: number;
  start: number;
  end: number;
  path: string;
  /** Absent: the file itself. */
  at?: Pick<FoundLine, 'line' | 'column'>;
}

export interface FoundText {
  text: string;
  links: FoundLink[];
}

/** Files in the order of their names, the lines of each below it; `head` comes before them, each a comment. */
export function foundText(head: readonly string[], lines: readonly FoundLine[]): FoundText {
  const rows = [...head.map((line) => `# ${inOneRow(line)}`), ''];
  const links: FoundLink[] = [];
  const files = new Map<string, FoundLine[]>();
  for (const line of lines) {
    const found = files.get(line.path);
    if (found === undefined) {
      files.set(line.path, [line]);
    } else {
      found.push(line);
    }
  }
  for (const [path, found] of [...files].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const name = inOneRow(path);
    links.push({ row: rows.length, start: 0, end: name.length, path });
    rows.push(`${name}:`);
    const width = Math.max(...found.map(({ line }) => String(line).length));
    for (const { line, column, text } of found.sort((one, other) => one.line - other.line)) {
      const number = String(line).padStart(width + 2);
      const start = number.length - String(line).length;
      links.push({ row: rows.length, start, end: number.length, path, at: { line, column } });
      rows.push(`${number}: ${inOneRow(text)}`);
    }
    rows.push('');
  }
  return { text: rows.join('\n'), links };
}

function inOneRow(text: string): string {
  return text.replace(/[\r\n]/g, ' ');
}
