/** What a transfer left out or renamed, told in full: success is not said of what was not copied. */
import type { Operation } from '../api';
import type { Cli } from './cli';
import { exitCodes } from './failure';
import { printable } from './format/text';
import { mark } from './terminal/progress';

const shownLines = 20;

/** Tells people; the exit code says too that something could not be copied. */
export function tellOutcome(cli: Cli, operation: Operation): void {
  const { failed, skipped, renamed } = operation.result ?? {};
  const lines = [
    ...textsOf(failed, (each) => `${mark('failed', cli.errorStyle)} ${each.path}: ${each.reason}`),
    ...textsOf(skipped, (each) => `${mark('skipped', cli.errorStyle)} ${each.path}: ${each.reason}`),
    ...textsOf(renamed, (each) => `${mark('done', cli.errorStyle)} ${each.from} is ${each.to}`),
  ];
  lines.slice(0, shownLines).forEach((line) => cli.note(line));
  if (lines.length > shownLines) {
    cli.note(`… and ${lines.length - shownLines} more: --json lists them all.`);
  }
  if (Array.isArray(failed) && failed.length > 0) {
    cli.exitCode = exitCodes.failure;
  }
}

/** Entries of a result, whose fields the contract leaves open, as lines. */
function textsOf(entries: unknown, line: (entry: Record<string, string>) => string): string[] {
  return Array.isArray(entries) ? entries.map((entry: unknown) => line(fieldsOf(entry))) : [];
}

function fieldsOf(entry: unknown): Record<string, string> {
  if (typeof entry !== 'object' || entry === null) {
    return { path: printable(String(entry)), reason: 'left out' };
  }
  const fields = Object.entries(entry).map(([key, value]) => [key, printable(String(value))]);
  return Object.fromEntries(fields) as Record<string, string>;
}
