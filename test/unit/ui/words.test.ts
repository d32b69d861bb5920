import assert from 'node:assert/strict';
import { standIn } from '../../support/vscode/stand-in';
import { dateAndTime, time } from '../../../src/ui/words';

describe('ui/words: times', () => {
  beforeEach(() => standIn.reset());
  const at = (daysAgo: number): Date => {
    const date = new Date();
    date.setDate(date.getDate() - daysAgo);
    date.setHours(14, 5, 0, 0);
    return date;
  };

  it('are the time alone today, and date and time of any other day', () => {
    const clock = time(at(0).toISOString());
    assert.match(clock, /^\D*0?(14|2):05\D*$/);
    for (const daysAgo of [1, 2, 30, 365]) {
      const words = time(at(daysAgo).toISOString());
      assert.ok(words.includes(clock), words);
      assert.ok(words.includes(String(at(daysAgo).getFullYear())), words);
      assert.ok(words.includes(String(at(daysAgo).getDate())), words);
    }
  });

  it('have the date always in names that stay', () => {
    assert.equal(dateAndTime('2026-01-02T03:04:00'), '2026-01-02 03:04');
  });

  it('are left as they are when they are none', () => {
    assert.equal(time('soon'), 'soon');
    assert.equal(dateAndTime('soon'), 'soon');
  });
});
