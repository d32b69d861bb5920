import { Option, type Command } from 'commander';
import type { KeepPolicy } from '../../api/snapshots/schemas';
import { parseHours, parseWhole } from '../parse/options';

/** As commander gives them. */
export interface KeepOptions extends Omit<KeepPolicy, 'keepWithinHours'> {
  keepWithin?: number;
}

/** Which snapshots stay: `--keep-last`, `--keep-daily` and so on, as restic has them. */
export function addKeepOptions(command: Command): void {
  for (const [word, what] of [
    ['last', 'the newest n'],
    ['hourly', 'the newest of each of the last n hours that have any'],
    ['daily', 'the same for days'],
    ['weekly', 'for weeks, from Monday'],
    ['monthly', 'for months'],
    ['yearly', 'for years'],
  ] as const) {
    command.addOption(new Option(`--keep-${word} <n>`, what).argParser(parseWhole));
  }
  command.option(
    '--keep-within <time>',
    'all that are at most so much older than the newest: 48h, 30d',
    parseHours,
  );
}

/** Undefined where none of them was given. */
export function keepOf(options: KeepOptions): KeepPolicy | undefined {
  const { keepLast, keepHourly, keepDaily, keepWeekly, keepMonthly, keepYearly, keepWithin } = options;
  const policy = {
    ...(keepLast !== undefined && { keepLast }),
    ...(keepHourly !== undefined && { keepHourly }),
    ...(keepDaily !== undefined && { keepDaily }),
    ...(keepWeekly !== undefined && { keepWeekly }),
    ...(keepMonthly !== undefined && { keepMonthly }),
    ...(keepYearly !== undefined && { keepYearly }),
    ...(keepWithin !== undefined && { keepWithinHours: keepWithin }),
  };
  return Object.keys(policy).length === 0 ? undefined : policy;
}
