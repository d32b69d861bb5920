import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SnapshotRecords, type SnapshotRecord } from '../../../../src/backend/store/snapshot-records';
import { failure } from '../../../support/errors';
import { useTempFolder } from '../../../support/temp';

const place = { kind: 'docker', engine: 'one' } as const;

describe('store/snapshot-records', () => {
  const home = useTempFolder();
  const folder = () => join(home(), 'snapshots');
  const record = (id: string, createdAt: string, volume = 'data'): SnapshotRecord => ({
    ...{ id, volume, createdAt, kind: 'disk', reason: 'manual' },
    ...{ usedBytes: 1, isShared: false, heldMs: 2 },
  });
  const loaded = async (): Promise<SnapshotRecords> => {
    const records = new SnapshotRecords(folder());
    await records.load();
    return records;
  };

  it('are there over a start of the engine, newest first, each with its volume', async () => {
    const records = await loaded();
    assert(!existsSync(folder()), 'nothing is made before it is needed');
    await records.write(record('00000000000a', '2026-01-01T00:00:00.000Z'));
    await records.write(record('00000000000b', '2026-01-02T00:00:00.000Z'));
    await records.write(record('00000000000c', '2026-01-03T00:00:00.000Z', 'other'));
    const again = await loaded();
    assert.deepEqual(
      again.of('data').map(({ id }) => id),
      ['00000000000b', '00000000000a'],
    );
    await again.remove('00000000000b');
    await again.remove('00000000000b');
    assert.deepEqual([again.has('00000000000b'), again.has('00000000000a')], [false, true]);
    assert.equal((await loaded()).of('data').length, 1);
  });

  it('that are damaged are set aside and named, and their data stays somebody’s', async () => {
    await (await loaded()).write(record('00000000000a', '2026-01-01T00:00:00.000Z'));
    const path = join(folder(), '00000000000a.json');
    writeFileSync(path, '{"schemaVersion":1,"id":7}');
    const records = new SnapshotRecords(folder());
    const [refused] = await records.load();
    assert.match(refused?.path ?? '', /00000000000a\.json\.damaged-\d+$/);
    for (const each of [records, await loaded()]) {
      assert.deepEqual([each.of('data'), each.cutOff()], [[], []]);
    }
  });

  it('tell a making that was cut off from all else', async () => {
    const first = await loaded();
    await first.begin('00000000000a', place);
    await first.begin('00000000000b', place);
    await first.write(record('00000000000b', '2026-01-01T00:00:00.000Z'));
    await first.begin('00000000000c', place);
    await first.giveUp('00000000000c');
    await first.begin('00000000000d', place);
    writeFileSync(join(folder(), '00000000000d.json.damaged-1'), '');
    writeFileSync(join(folder(), '00000000000e.ext4'), 'data of nobody');
    writeFileSync(join(folder(), '00000000000f.making'), '');
    const again = await loaded();
    assert.deepEqual(again.cutOff(), [
      { id: '00000000000a', ...place },
      { id: '00000000000f', kind: 'disk' },
    ]);
    await again.giveUp('00000000000a');
    await again.giveUp('00000000000f');
    assert.deepEqual((await loaded()).cutOff(), []);
  });

  it('of a newer Berth are left alone', async () => {
    await (await loaded()).write(record('00000000000a', '2026-01-01T00:00:00.000Z'));
    const path = join(folder(), '00000000000a.json');
    const newer = '{"schemaVersion":99}';
    writeFileSync(path, newer);
    const records = await loaded();
    assert.deepEqual(records.cutOff(), []);
    await failure(records.write(record('00000000000a', '2026-01-01T00:00:00.000Z')), 'forbidden');
    assert.equal(readFileSync(path, 'utf8'), newer);
  });
});
