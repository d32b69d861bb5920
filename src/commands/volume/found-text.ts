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

/** Files in the order of their names with how many lines were found, which are below; `head` comes before them, each a comment. */
export function foundText(
  head: readonly string[],
  lines: readonly FoundLine[],
  countWords: (count: number) => string,
): FoundText {
  const rows = [...head.map((line) => `# ${inOneRow(line)}`), ''];
  const links: FoundLink[] = [];
  for (const [path, found] of [...byPath(lines)].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const name = inOneRow(path);
    links.push({ row: rows.length, start: 0, end: name.length, path });
    rows.push(`${name}: ${countWords(found.length)}`);
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

/** In the order in which the files come first. */
export function byPath<Found extends { path: string }>(all: readonly Found[]): Map<string, Found[]> {
  const files = new Map<string, Found[]>();
  for (const each of all) {
    const found = files.get(each.path);
    if (found === undefined) {
      files.set(each.path, [each]);
    } else {
      found.push(each);
    }
  }
  return files;
}

function inOneRow(text: string): string {
  return text.replace(/[\r\n]/g, ' ');
}
