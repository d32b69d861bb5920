/**
 * Which snapshots of a volume stay when it is thinned: as restic's `forget` has it (https://restic.readthedocs.io, "Removing
 * snapshots according to a policy"). Of each of the last N hours, days, weeks (from Monday), months and years that have any, the newest
 * one; what two rules want stays once.
 */
import type { KeepPolicy } from '../../../api/snapshots/schemas';

export interface Thinned {
  id: string;
  createdAt: string;
  name?: string | undefined;
  protected?: boolean | undefined;
}

export interface Verdict {
  id: string;
  /** Why it stays; none: it goes. */
  reasons: string[];
}

type Period = 'keepHourly' | 'keepDaily' | 'keepWeekly' | 'keepMonthly' | 'keepYearly';

/** Two snapshots of one period have the same word. In the time of this machine, as people count days. */
const periods: Readonly<Record<Period, { word: string; of: (date: Date) => string }>> = {
  keepHourly: {
    word: 'hourly',
    of: (date) => `${dayOf(date)} ${date.getHours()} ${date.getTimezoneOffset()}`,
  },
  keepDaily: { word: 'daily', of: (date) => dayOf(date) },
  keepWeekly: { word: 'weekly', of: (date) => dayOf(mondayOf(date)) },
  keepMonthly: { word: 'monthly', of: (date) => `${date.getFullYear()}-${date.getMonth()}` },
  keepYearly: { word: 'yearly', of: (date) => String(date.getFullYear()) },
};
const isPeriod = (name: string): name is Period => Object.hasOwn(periods, name);
const hourMs = 3_600_000;

/** Answers for each, newest first. Those with a name, protected ones and those in `inUse` stay whatever the policy says. */
export function thin(
  snapshots: readonly Thinned[],
  policy: KeepPolicy,
  inUse: ReadonlySet<string> = new Set(),
): Verdict[] {
  const newestFirst = [...snapshots].sort((one, other) => other.createdAt.localeCompare(one.createdAt));
  const reasons = new Map(newestFirst.map((each) => [each.id, alwaysKept(each, inUse)]));
  const keep = ({ id }: Thinned, why: string): void => void reasons.get(id)?.push(why);
  newestFirst.slice(0, policy.keepLast ?? 0).forEach((each) => keep(each, 'last'));
  for (const name of Object.keys(periods).filter(isPeriod)) {
    const { word, of } = periods[name];
    newestOfEach(newestFirst, policy[name] ?? 0, of).forEach((each) => keep(each, word));
  }
  const newest = Date.parse(newestFirst[0]?.createdAt ?? '');
  const since = newest - (policy.keepWithinHours ?? -1) * hourMs;
  newestFirst
    .filter(({ createdAt }) => Date.parse(createdAt) >= since)
    .forEach((each) => keep(each, 'within'));
  return newestFirst.map(({ id }) => ({ id, reasons: reasons.get(id) ?? [] }));
}

function alwaysKept({ id, name, protected: isProtected }: Thinned, inUse: ReadonlySet<string>): string[] {
  return [
    ...(isProtected === true ? ['protected'] : []),
    ...(name === undefined ? [] : ['has a name']),
    ...(inUse.has(id) ? ['a fork began with it'] : []),
  ];
}

/** Of the first `count` periods that come up. */
function newestOfEach(newestFirst: readonly Thinned[], count: number, of: (date: Date) => string): Thinned[] {
  const seen = new Set<string>();
  return newestFirst.filter(({ createdAt }) => {
    const period = of(new Date(createdAt));
    if (seen.has(period) || seen.size >= count) {
      return false;
    }
    seen.add(period);
    return true;
  });
}

const dayOf = (date: Date): string => `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;

function mondayOf(date: Date): Date {
  const daysSince = (date.getDay() + 6) % 7;
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() - daysSince);
}
