import assert from 'node:assert/strict';
import { formatUsage, sumUsage, type UsageGroup } from '../../../../src/cli/format/usage';

const now = Date.parse('2026-01-02T03:04:05Z');
const mebibyte = 1024 ** 2;
const groups: UsageGroup[] = [
  {
    id: 'volumes',
    items: [
      { name: 'workspace-demo', bytes: 40 * mebibyte, usedBy: ['demo'], limitBytes: 1024 * mebibyte },
      { name: 'data', bytes: 10 * mebibyte, isAtLeast: true, measuredAt: '2026-01-02T01:04:05Z' },
      { name: 'unread' },
    ],
  },
  { id: 'snapshots', items: [{ name: 'data', bytes: 1, count: 1 }] },
  { id: 'images', items: [] },
  { id: 'caches', items: [{ name: 'templates', bytes: 0, freeableBytes: mebibyte }] },
];

describe('cli/format/usage', () => {
  it('has a bar as a share of the largest, and what is known of each', () => {
    assert.deepEqual(formatUsage(groups, now).split('\n'), [
      'VOLUMES               50 MiB',
      'workspace-demo        40 MiB  ████████████████████  of 1.0 GiB, used by demo',
      'data                ≥ 10 MiB  █████                 measured 2 hours ago',
      'unread          not measured',
      '',
      'SNAPSHOTS, BY VOLUME  1 B',
      'data                  1 B  ▏  1 snapshot',
      '',
      'CACHES     0 B',
      'templates  0 B    1.0 MiB not in use: berth cache clean',
    ]);
    assert.equal(formatUsage([{ id: 'images', items: [] }]), 'Nothing takes room yet.');
  });

  it('is summed up for programs', () => {
    const { bytes, groups: summed } = sumUsage(groups);
    assert.equal(bytes, 50 * mebibyte + 1);
    assert.deepEqual(
      summed.map((group) => group.bytes),
      [50 * mebibyte, 1, 0, 0],
    );
  });
});
