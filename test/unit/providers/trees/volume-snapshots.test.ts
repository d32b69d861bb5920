import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import type { Snapshot, Volume } from '../../../../src/api';
import {
  snapshotItem,
  snapshotsItem,
  VolumeSnapshots,
} from '../../../../src/providers/trees/volume-snapshots';
import { useRecordedEngine } from '../../../support/engine/recorded-engine';
import { quietLog } from '../../../support/vscode/quiet-log';
import { until } from '../../../support/wait';
import { volume } from '../fixtures';

const snapshot = (id: string, more: Partial<Snapshot> = {}): Snapshot => ({
  ...{ id, volume: 'data', kind: 'docker', reason: 'manual', createdAt: '2026-01-02T03:04:05.000Z' },
  ...{ usedBytes: 2048, isShared: false, heldMs: 1 },
  ...more,
});

describe('providers/trees/volume-snapshots', () => {
  const engine = useRecordedEngine();
  let volumes: Volume[];
  let there: Snapshot[];
  let changed: string[];

  beforeEach(() => {
    standIn.reset();
    [volumes, there, changed] = [[volume('data')], [], []];
    engine().answers.set('GET /v1/volumes/data/snapshots', () => there);
  });

  const make = () => {
    const store = { volume: (name: string) => volumes.find((each) => each.name === name) };
    const link = { client: () => Promise.resolve(engine().client) };
    return new VolumeSnapshots(link, store, quietLog(), (name) => changed.push(name));
  };
  const asked = (): number => engine().asked.length;

  it('asks when the volume is opened, once, and says when there are some', async () => {
    const snapshots = make();
    there = [snapshot('0123456789ab')];
    snapshots.opened('data');
    snapshots.opened('data');
    await until('they are known', () => changed.length > 0);
    assert.deepEqual(
      snapshots.of('data').map(({ id }) => id),
      ['0123456789ab'],
    );
    snapshots.opened('data');
    assert.equal(asked(), 1);
    assert.deepEqual(changed, ['data']);
  });

  it('asks again when something became of the volume, and not of one that nobody opened', async () => {
    const snapshots = make();
    snapshots.renew('data');
    assert.equal(asked(), 0);
    snapshots.opened('data');
    await until('it has asked', () => asked() === 1);
    there = [snapshot('0123456789ab')];
    await new Promise(setImmediate);
    snapshots.renew('data');
    await until('they are known', () => changed.length > 0);
  });

  it('asks for none of what can have none', () => {
    volumes = [volume('data', { kind: 'directory' })];
    make().opened('data');
    assert.equal(asked(), 0);
  });

  it('has rows that say when, how large and why, and what can be done', () => {
    const row = { type: 'snapshot', volume: 'data', id: '0123456789ab' } as const;
    const still = volume('data');
    const running = volume('data', {
      holders: [{ runtime: 'r', state: 'running', readOnly: false }] as Volume['holders'],
    });
    const named = snapshotItem(row, snapshot(row.id, { name: 'first' }), still);
    assert.equal(named.label, 'first');
    assert.match(String(named.description), /2026.* · 2\.0 KiB$/);
    assert.equal(named.contextValue, 'snapshot+restorable');
    const before = snapshotItem(row, snapshot(row.id, { reason: 'before-restore' }), running);
    assert.ok(typeof before.label === 'string' && before.label.includes('2026'));
    assert.equal(before.description, '2.0 KiB · before a restore');
    assert.equal(before.contextValue, 'snapshot');
    assert.equal(snapshotItem(row, undefined, still).contextValue, undefined);
    const all = snapshotsItem({ type: 'snapshots', volume: 'data' }, [snapshot(row.id)], still);
    assert.deepEqual([all.description, all.contextValue], ['1', 'snapshots+keepable']);
    // A microVM that runs on it is held still for a moment.
    const used = snapshotsItem({ type: 'snapshots', volume: 'data' }, [], { ...running, kind: 'disk' });
    assert.equal(used.contextValue, 'snapshots+keepable');
  });
});
