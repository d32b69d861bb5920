import { printable, width } from './text';

export interface Column {
  title: string;
  right?: boolean;
  /** Its cells hold colours of ours, and nothing else that drives a terminal: who fills it sees to that. */
  styled?: boolean;
}

/** Aligned columns under their titles, two spaces apart, without trailing blanks. No cell makes a line of its own. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const titles = columns.map((column) => column.title);
  const cells = rows.map((row) =>
    row.map((cell, at) => (columns[at]?.styled === true ? cell : printable(cell))),
  );
  const lines = [titles, ...cells];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => width(line[at] ?? ''))));
  return lines.map((line) => formatRow(columns, widths, line)).join('\n');
}

function formatRow(columns: readonly Column[], widths: readonly number[], line: readonly string[]): string {
  return columns
    .map((column, at) => {
      const cell = line[at] ?? '';
      const blanks = ' '.repeat((widths[at] ?? 0) - width(cell));
      return column.right === true ? blanks + cell : cell + blanks;
    })
    .join('  ')
    .trimEnd();
}

/** `key  value` lines with the values aligned; rows without a value are left out. */
export function formatFields(fields: readonly (readonly [string, string | undefined])[]): string {
  const shown = fields.filter((field): field is readonly [string, string] => field[1] !== undefined);
  const widest = Math.max(0, ...shown.map(([key]) => width(key)));
  return shown
    .map(([key, value]) => `${key}${' '.repeat(widest - width(key))}  ${printable(value)}`.trimEnd())
    .join('\n');
}
