import assert from 'node:assert/strict';
import { formatCheck } from '../../../src/cli/snapshots';
import { formatDate } from '../../../src/cli/format/time';

describe('what is said of a check', () => {
  const fine = { verified: '0123456789ab', checked: 1, read: 1, damaged: 0, problems: [] };
  const verifiedAt = '2026-01-01T00:00:00.000Z';
  const then = formatDate(Date.parse(verifiedAt));

  it('is no more than what was looked at', () => {
    assert.equal(formatCheck('a', fine), 'a is as it was when it was made: 1 checked, 1 read.');
    const unread = { ...fine, read: 0 };
    assert.equal(
      formatCheck('a', unread, { verifiedAt }),
      `a has not changed since it was read at ${then}: 1 checked, 0 read.`,
    );
    assert.equal(formatCheck('a', unread), 'a has not changed since it was read: 1 checked, 0 read.');
    assert.equal(
      formatCheck('a', { ...fine, since: verifiedAt }),
      `a has no errors in its file system, and is what it was at ${then} (nothing was noted when it was made): 1 checked, 1 read.`,
    );
  });
});
