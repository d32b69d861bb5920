import assert from 'node:assert/strict';
import { formatAgo, formatDate } from '../../../../src/cli/format/time';
import { formatDuration } from '../../../../src/api/rules/duration';

const now = Date.parse('2026-06-15T12:00:00.000Z');
const before = (ms: number): string => formatAgo(new Date(now - ms).toISOString(), now);

describe('cli/format/time', () => {
  it('tells how long ago something was', () => {
    assert.equal(before(0), 'just now');
    assert.equal(before(59_000), 'just now');
    assert.equal(before(60_000), '1 minute ago');
    assert.equal(before(3 * 60_000), '3 minutes ago');
    assert.equal(before(2 * 3_600_000), '2 hours ago');
    assert.equal(before(25 * 3_600_000), '1 day ago');
    assert.equal(before(8 * 86_400_000), '1 week ago');
    assert.equal(before(70 * 86_400_000), '2 months ago');
    assert.equal(before(800 * 86_400_000), '2 years ago');
  });

  it('tells a time to come, of a clock that runs ahead', () => {
    assert.equal(before(-120_000), 'in 2 minutes');
  });

  it('shows what is no time as it is', () => {
    assert.equal(formatAgo('someday', now), 'someday');
    assert.equal(formatAgo('0001-01-01T00:00:00.000Z', now), '-');
    assert.equal(formatAgo(new Date(0).toISOString(), now), '-');
  });

  it('shows durations', () => {
    const shown = [0, 40.4, 999, 1000, 1234, 59_900, 60_000, 125_000, 3_600_000, 3_780_000].map(
      formatDuration,
    );
    assert.deepEqual(shown, [
      '0 ms',
      '40 ms',
      '999 ms',
      '1.0 s',
      '1.2 s',
      '59.9 s',
      '1 min 0 s',
      '2 min 5 s',
      '1 h 0 min',
      '1 h 3 min',
    ]);
  });

  it('shows local dates that sort', () => {
    assert.equal(formatDate(new Date(2026, 0, 31, 9, 5).getTime()), '2026-01-31 09:05');
  });
});
