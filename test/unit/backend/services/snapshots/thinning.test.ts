import assert from 'node:assert/strict';
import type { KeepPolicy } from '../../../../../src/api/snapshots/schemas';
import { thin, type Thinned } from '../../../../../src/backend/services/snapshots/thinning';
import { Random } from '../../../../support/random';

const hour = 3_600_000;
const at = (text: string): string => new Date(text).toISOString();
const numbered = (times: readonly string[]): Thinned[] =>
  times.map((createdAt, index) => ({ id: String(index), createdAt }));
const kept = (snapshots: readonly Thinned[], policy: KeepPolicy): string[] =>
  thin(snapshots, policy)
    .filter(({ reasons }) => reasons.length > 0)
    .map(({ id }) => id)
    .sort((one, other) => Number(one) - Number(other));

/** The rule said another way: each snapshot is asked for itself, by what is newer than it. */
function isKept(each: Thinned, all: readonly Thinned[], policy: KeepPolicy): boolean {
  const newer = all.filter(({ createdAt }) => createdAt > each.createdAt);
  const date = (snapshot: Thinned) => new Date(snapshot.createdAt);
  const week = (day: Date): string => {
    const monday = new Date(day.getFullYear(), day.getMonth(), day.getDate());
    while (monday.getDay() !== 1) monday.setDate(monday.getDate() - 1);
    return monday.toDateString();
  };
  const rules: [number | undefined, (day: Date) => string][] = [
    [policy.keepHourly, (day) => `${day.toDateString()} ${day.getHours()}`],
    [policy.keepDaily, (day) => day.toDateString()],
    [policy.keepWeekly, week],
    [policy.keepMonthly, (day) => `${day.getFullYear()} ${day.getMonth()}`],
    [policy.keepYearly, (day) => String(day.getFullYear())],
  ];
  const isOfPeriod = rules.some(([count, of]) => {
    const periods = new Set(newer.map((other) => of(date(other))));
    return count !== undefined && !periods.has(of(date(each))) && periods.size < count;
  });
  const newest = Math.max(...all.map(({ createdAt }) => Date.parse(createdAt)));
  const isWithin =
    policy.keepWithinHours !== undefined &&
    newest - Date.parse(each.createdAt) <= policy.keepWithinHours * hour;
  return newer.length < (policy.keepLast ?? 0) || isOfPeriod || isWithin;
}

describe('services: which snapshots stay', () => {
  it('the newest of each period, counting those alone that have any', () => {
    const snapshots = numbered([
      at('2026-03-10T23:59:00'),
      at('2026-03-10T08:00:00'),
      at('2026-03-08T08:00:00'), // a Sunday
      at('2026-03-02T08:00:00'), // its Monday
      at('2026-02-27T08:00:00'),
      at('2025-12-31T08:00:00'),
      at('2024-12-31T08:00:00'),
    ]);
    assert.deepEqual(kept(snapshots, { keepLast: 2 }), ['0', '1']);
    assert.deepEqual(kept(snapshots, { keepHourly: 2 }), ['0', '1']);
    assert.deepEqual(kept(snapshots, { keepDaily: 3 }), ['0', '2', '3']);
    assert.deepEqual(kept(snapshots, { keepWeekly: 3 }), ['0', '2', '4']);
    assert.deepEqual(kept(snapshots, { keepMonthly: 3 }), ['0', '4', '5']);
    assert.deepEqual(kept(snapshots, { keepYearly: 9 }), ['0', '5', '6']);
    assert.deepEqual(kept(snapshots, { keepWithinHours: 16 }), ['0', '1']);
    assert.deepEqual(kept(snapshots, { keepLast: 1, keepYearly: 2 }), ['0', '5']);
    assert.deepEqual(thin(snapshots, { keepLast: 1, keepDaily: 1 })[0]?.reasons, ['last', 'daily']);
  });

  it('those with a name, protected ones and what forks began with, whatever the rules say', () => {
    const [one, two, three, four] = numbered([4, 3, 2, 1].map((day) => at(`2026-01-0${day}T12:00:00`)));
    assert.ok(one && two && three && four);
    const all = [one, { ...two, name: 'release' }, { ...three, protected: true }, four];
    assert.deepEqual(thin(all, { keepLast: 1 }, new Set(['3'])), [
      { id: '0', reasons: ['last'] },
      { id: '1', reasons: ['has a name'] },
      { id: '2', reasons: ['protected'] },
      { id: '3', reasons: ['a fork began with it'] },
    ]);
  });

  it('as the rule says in other words, for any times and policies', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const random = new Random(seed);
      const end = Date.parse(at('2026-04-05T12:00:00'));
      const reach = random.pick([10, 100, 2_000, 30_000]) * hour;
      const times = new Set(
        Array.from(
          { length: random.next(40) },
          () => end - Math.floor((random.next(1_000_000) / 1_000_000) * reach),
        ),
      );
      const snapshots = numbered([...times].map((time) => new Date(time).toISOString()));
      const rules = [
        'keepLast',
        'keepHourly',
        'keepDaily',
        'keepWeekly',
        'keepMonthly',
        'keepYearly',
        'keepWithinHours',
      ];
      const policy: KeepPolicy = Object.fromEntries(
        rules.filter(() => random.next(3) === 0).map((rule) => [rule, 1 + random.next(random.pick([3, 30]))]),
      );
      const wanted = snapshots.filter((each) => isKept(each, snapshots, policy)).map(({ id }) => id);
      assert.deepEqual(kept(snapshots, policy), wanted, `seed ${seed}: ${JSON.stringify(policy)}`);
      assert.ok(thin(snapshots, policy).length === snapshots.length);
    }
  });
});
