/** The table of a benchmark: on the terminal, and appended to bench/results.md. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';

export interface Row {
  what: string;
  /** Measured, in `unit`. */
  value: number;
  unit: 'ms' | 'ms/s' | 'kB' | 'MiB' | '/s' | 'left';
  baseline?: { what: string; value: number };
  /** At most so much, of the baseline when it is a ratio; absent for what has no budget. */
  budget?: { atMost: number; of: 'value' | 'ratio' };
  note?: string;
}

const heading =
  '# Benchmark results\n\nAppended by `npm run bench`, newest last. Compare ratios: absolute times depend on what else the machine did.';

export const repository = findRepository(__dirname);

/** The folder with package.json above the compiled files. */
function findRepository(from: string): string {
  for (let folder = from; folder !== join(folder, '..'); folder = join(folder, '..')) {
    if (existsSync(join(folder, 'webpack.config.js'))) {
      return folder;
    }
  }
  throw new Error(`No repository above ${from}.`);
}

function ratioOf(row: Row): number | undefined {
  return row.baseline === undefined ? undefined : row.value / row.baseline.value;
}

/** Whether a row keeps its budget; undefined when it has none. */
export function isWithin(row: Row): boolean | undefined {
  if (row.budget === undefined) {
    return undefined;
  }
  return (row.budget.of === 'ratio' ? (ratioOf(row) ?? Number.NaN) : row.value) <= row.budget.atMost;
}

function figure(value: number, unit: Row['unit']): string {
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${unit}`;
}

function cells(row: Row): string[] {
  const ratio = ratioOf(row);
  const within = isWithin(row);
  const budget =
    row.budget === undefined
      ? '-'
      : row.budget.of === 'ratio'
        ? `≤ ${row.budget.atMost} ×`
        : `≤ ${figure(row.budget.atMost, row.unit)}`;
  return [
    row.note === undefined ? row.what : `${row.what} (${row.note})`,
    figure(row.value, row.unit),
    row.baseline === undefined ? '-' : `${figure(row.baseline.value, row.unit)} ${row.baseline.what}`,
    ratio === undefined ? '-' : `${ratio.toFixed(2)} ×`,
    budget,
    within === undefined ? '' : within ? 'within' : 'OVER',
  ];
}

/** A Markdown table with aligned columns. */
export function formatRows(rows: readonly Row[]): string {
  const lines = [['what', 'measured', 'baseline', 'ratio', 'budget', ''], ...rows.map(cells)];
  const widths = (lines[0] ?? []).map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  const text = lines.map((line) => `| ${line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`);
  const rule = `| ${widths.map((width) => '-'.repeat(Math.max(3, width))).join(' | ')} |`;
  return [text[0], rule, ...text.slice(1)].join('\n');
}

/** What the figures were measured on; no names. */
function machine(): string {
  const model = cpus()[0]?.model.replace(/\s+/g, ' ').trim() ?? 'CPU';
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${model}, ${memory} GiB, Linux ${/^\d+\.\d+/.exec(release())?.[0] ?? '?'}, Node ${process.version}, ${docker()}`;
}

function docker(): string {
  try {
    const version = execFileSync('docker', ['version', '--format', '{{.Server.Version}}'], {
      encoding: 'utf8',
      timeout: 10_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return `Docker ${version.trim()}`;
  } catch {
    return 'no Docker';
  }
}

/** Prints the table and keeps it. */
export function report(title: string, rows: readonly Row[]): void {
  const table = formatRows(rows);
  console.log(`\n${title}\n\n${table}\n`);
  const day = new Date().toISOString().slice(0, 16).replace('T', ' ');
  const text = `\n## ${title}, ${day} UTC\n\n${machine()}\n\n${table}\n`;
  const file = join(repository, 'bench', 'results.md');
  appendFileSync(file, existsSync(file) ? text : `${heading}\n${text}`);
}
