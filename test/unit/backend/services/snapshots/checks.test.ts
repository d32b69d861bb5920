import assert from 'node:assert/strict';
import { join } from 'node:path';
import type {
  SnapshotCheck,
  SnapshotJob,
  VerifyOptions,
} from '../../../../../src/backend/drivers/contract/snapshots';
import type { Drivers } from '../../../../../src/backend/services/engine/drivers';
import { SnapshotChecks } from '../../../../../src/backend/services/snapshots/checks';
import { SnapshotRecords, type SnapshotRecord } from '../../../../../src/backend/store/snapshot-records';
import { failure } from '../../../../support/errors';
import { useTempFolder } from '../../../../support/temp';

const id = '0123456789ab';
const record: SnapshotRecord = {
  ...{ id, volume: 'v', kind: 'disk', reason: 'manual', createdAt: '2026-01-01T00:00:00.000Z' },
  ...{ usedBytes: 1, isShared: false, heldMs: 1 },
};
const job = (): SnapshotJob => ({ signal: new AbortController().signal, report: () => undefined });
const fine: SnapshotCheck = { checked: 1, read: 1, damaged: 0, problems: [] };

describe('checks of snapshots', () => {
  const home = useTempFolder();
  let records: SnapshotRecords;
  let checks: SnapshotChecks;
  let asked: VerifyOptions[];
  let verify: (job: SnapshotJob) => Promise<SnapshotCheck>;

  beforeEach(async () => {
    records = new SnapshotRecords(join(home(), 'records'));
    await records.write(record);
    asked = [];
    const snapshots = {
      verify: (_id: string, options: VerifyOptions, given: SnapshotJob) => {
        asked.push(options);
        return verify(given);
      },
    };
    checks = new SnapshotChecks({
      records,
      drivers: { ofVolumeKind: () => ({ volumes: { snapshots } }) } as unknown as Drivers,
    });
  });

  it('note when something was read, and not when nothing was', async () => {
    verify = () => Promise.resolve(fine);
    await checks.verify(record, false, job());
    const first = records.get(id)?.verifiedAt;
    assert.ok(first !== undefined);
    await new Promise((resolve) => setTimeout(resolve, 5));
    verify = () => Promise.resolve({ ...fine, read: 0 });
    await checks.verify(record, false, job());
    assert.equal(records.get(id)?.verifiedAt, first);
    verify = () => Promise.resolve({ ...fine, seal: { digest: 'd', since: first } });
    assert.equal((await checks.verify(record, false, job())).since, first);
    assert.notEqual(records.get(id)?.verifiedAt, first);
  });

  it('read all of what was damaged, until it is not', async () => {
    verify = () => Promise.resolve({ ...fine, damaged: 1, problems: [{ path: '/', what: 'is not' }] });
    await checks.verify(record, false, job());
    assert.equal(records.get(id)?.damaged, 1);
    verify = () => Promise.resolve(fine);
    await checks.verify(record, false, job());
    assert.equal(records.get(id)?.damaged, undefined);
    await checks.verify(record, false, job());
    assert.deepEqual(
      asked.map(({ full }) => full),
      [false, true, false],
    );
  });

  it('end where their snapshot is deleted, and bring no record back', async () => {
    let began: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => (began = resolve));
    // It ends when it is told to, or not: then deleting waits for it.
    for (const listens of [true, false]) {
      await records.write(record);
      verify = ({ signal }) =>
        new Promise((resolve, reject) => {
          began();
          const end = (): void => (listens ? reject(new Error('ended')) : resolve(fine));
          signal.addEventListener('abort', () => setTimeout(end, 5));
        });
      const check = checks.verify(record, false, job());
      check.catch(() => undefined);
      const waiting = checks.verify(record, false, job());
      waiting.catch(() => undefined);
      await begun;
      await new Promise((resolve) => setTimeout(resolve, 5));
      const order: string[] = [];
      void check.then(
        () => order.push('checked'),
        () => order.push('checked'),
      );
      await checks.removing(id, async () => {
        order.push('removed');
        await records.remove(id);
      });
      assert.deepEqual(order, ['checked', 'removed']);
      await failure(waiting, 'not_found');
      assert.equal(asked.length, listens ? 1 : 2, 'the one that waited has not begun');
      await failure(checks.verify(record, false, job()), 'not_found');
      assert.equal(records.has(id), false);
      assert.deepEqual(await new SnapshotRecords(join(home(), 'records')).load(), []);
    }
  });

  it('change no record that is gone', async () => {
    const removed = records.remove(id);
    await records.update(id, (known) => ({ ...known, damaged: 1 }));
    await removed;
    const again = new SnapshotRecords(join(home(), 'records'));
    await again.load();
    assert.deepEqual([records.has(id), again.has(id)], [false, false]);
  });
});
