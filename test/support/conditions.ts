/**
 * What is other on a user's machine than where the code is written. The suites run under different ones, named by
 * BERTH_TEST_CONDITIONS (see `scripts/lib/suites.mjs`), so that each is met without a run of its own.
 */
import { join } from 'node:path';

interface Conditions {
  umask: number;
  /** Of the state directory, below a folder that the test made. */
  home: string;
  locale: string;
}

const odd = `it's "my" [home] of 100% $HOME; ä/`;

const known: Record<string, Conditions> = {
  plain: { umask: 0o022, home: 'home', locale: 'C.UTF-8' },
  // Sockets would not fit below it, and no one may read what a program makes without asking.
  odd: { umask: 0o077, home: join(odd, 'x'.repeat(200 - Buffer.byteLength(odd))), locale: 'C' },
};

const name = process.env.BERTH_TEST_CONDITIONS ?? 'plain';
const chosen = known[name];
if (!chosen) throw new Error(`no conditions are called ${name}; there are ${Object.keys(known).join(', ')}`);

export const conditions = chosen;

/** What a test deletes is gone; tests of the trash say otherwise. */
process.env.BERTH_TRASH_DAYS ??= '0';

/** From now on, for this process and what it starts. */
export function meetConditions(): void {
  process.umask(conditions.umask);
  process.env.LC_ALL = conditions.locale;
}

export const homeBelow = (folder: string): string => join(folder, conditions.home);
