/** What a transfer left out or renamed, listed in full: success is not said of what was not copied. */
import type { Operation } from '../api';
import { resultOf } from '../api/rules/results';
import type { Cli } from './cli';
import { exitCodes } from './failure';
import { clipMiddle, printable } from './format/text';
import { mark } from './terminal/progress';

const shownLines = 20;
const pathColumns = 72;

/** Tells people; the exit code says too that something could not be copied. */
export function reportOutcome(cli: Cli, operation: Operation): void {
  const { failed, skipped, renamed } = resultOf(operation, 'transfer');
  const { errorStyle } = cli;
  const shortPath = (path: string): string => clipMiddle(printable(cli.paths.typed(path)), pathColumns);
  const lines = [
    ...failed.map(
      (each) => `${mark('failed', errorStyle)} ${shortPath(each.path)}: ${printable(each.reason)}`,
    ),
    ...skipped.map(
      (each) => `${mark('skipped', errorStyle)} ${shortPath(each.path)}: ${printable(each.reason)}`,
    ),
    ...renamed.map(({ from, to }) => `${mark('done', errorStyle)} ${shortPath(from)} is ${shortPath(to)}`),
  ];
  lines.slice(0, shownLines).forEach((line) => cli.note(line));
  if (lines.length > shownLines) {
    cli.note(`… and ${lines.length - shownLines} more: --json lists them all.`);
  }
  if (failed.length > 0) {
    cli.exitCode = exitCodes.failure;
  }
}
