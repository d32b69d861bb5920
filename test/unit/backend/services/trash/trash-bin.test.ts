import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BerthError } from '../../../../../src/api/errors';
import { TrashBin } from '../../../../../src/backend/services/trash/trash-bin';
import { ForkBases } from '../../../../../src/backend/services/workspaces/fork/bases';
import { RemovalJournal } from '../../../../../src/backend/store/removal-journal';
import { SnapshotRecords } from '../../../../../src/backend/store/snapshot-records';
import { TrashRecords } from '../../../../../src/backend/store/trash-records';
import { TrashTime } from '../../../../../src/backend/store/trash-time';
import { FakeClock } from '../../../../support/fakes/fake-clock';
import { Random } from '../../../../support/random';
import { useTempFolder } from '../../../../support/temp';
import { until } from '../../../../support/wait';

const dayMs = 86_400_000;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

describe('backend/services/trash/trash-bin', () => {
  const temp = useTempFolder();
  let folder: string;
  let clock: FakeClock;
  let days: number;
  let dropped: string[];
  let journal: RemovalJournal;
  let bases: ForkBases;
  let refuses: string | undefined;

  beforeEach(() => {
    folder = temp();
    clock = new FakeClock();
    [days, dropped, refuses] = [7, [], undefined];
    journal = new RemovalJournal(join(folder, 'removals.log'));
    bases = new ForkBases();
  });

  const binOf = async (
    toTrash: Record<string, string | undefined> = {},
    trashRecords = new TrashRecords(join(folder, 'trash')),
  ): Promise<TrashBin> => {
    const deps = {
      ...{ bases, clock, log: silent, removals: journal, trashDays: () => days },
      trashRecords,
      time: new TrashTime(join(folder, 'looked'), clock),
      snapshotRecords: new SnapshotRecords(join(folder, 'snapshots')),
      registry: {
        all: () => [],
        find: (name: string) => (name in toTrash ? { toTrash: toTrash[name] } : undefined),
      },
      drivers: {
        of: () => ({ images: { remove: (image: string) => Promise.resolve(dropped.push(image)) } }),
        ofVolumeKind: () => ({
          volumes: { inspect: (name: string) => Promise.resolve(name === 'there' ? {} : undefined) },
        }),
      },
      snapshots: {
        dropForked: (id: string) => Promise.resolve(void dropped.push(id)),
        dropTrashed: (id: string) =>
          id === refuses ? Promise.reject(new Error('no answer')) : Promise.resolve(void dropped.push(id)),
      },
    };
    const bin = new TrashBin(deps as unknown as ConstructorParameters<typeof TrashBin>[0]);
    await bin.load();
    return bin;
  };
  const volume = (name: string, snapshot: string) =>
    ({ volume: name, kind: 'docker', snapshot, usedBytes: 5 }) as const;
  const thrown = async (bin: TrashBin, name: string, snapshot: string): Promise<string> => {
    const { id } = await bin.begin({ kind: 'volume', name });
    await bin.update(id, {
      volumes: [volume(name, snapshot)],
      deletedAt: new Date(clock.now()).toISOString(),
    });
    await bin.keep(id);
    return id;
  };
  const files = (): string[] => readdirSync(join(folder, 'trash')).sort();

  it('removes each item when it has had its time, and nothing before, whatever the times are', async () => {
    const random = new Random(7);
    const bin = await binOf();
    const ends = new Map<string, number>();
    for (let n = 0; n < 20; n += 1) {
      await clock.pass(random.next(dayMs));
      ends.set(await thrown(bin, `v${n}`, `s${n}`), clock.now() + days * dayMs);
    }
    while (ends.size > 0) {
      await clock.pass(1 + random.next(dayMs));
      const there = new Set(bin.list().map(({ id }) => id));
      for (const [id, end] of ends) {
        assert.ok(
          there.has(id) || clock.now() >= end,
          `${id} has gone ${end - clock.now()} ms before its time`,
        );
        assert.ok(!there.has(id) || clock.now() < end + 3_600_000, `${id} is there for too long`);
        if (!there.has(id)) ends.delete(id);
      }
    }
    assert.deepEqual([files(), clock.pending], [[], 0], 'nothing is waited for when there is nothing');
    const notes = await journal.read();
    assert.equal(notes.length, 20);
    assert.match(notes[0]?.reason ?? '', /its time in the trash is over/);
    assert.ok(clock.wakes < 20 * 24 * 12, `woken ${clock.wakes} times`);
    bin.close();
  });

  it('does not believe a clock that is set ahead by days, nor forgets that with the engine', async () => {
    let bin = await binOf();
    await thrown(bin, 'v', 's');
    await clock.pass(3_600_000);
    // One without a battery, also between two engines.
    for (const isBetween of [false, true]) {
      clock.set(30 * dayMs);
      if (isBetween) {
        bin.close();
        bin = await binOf();
        await until('the first look is over', () => clock.pending > 0);
      }
      await clock.pass(3_600_000);
      assert.equal(bin.list().length, 1);
    }
    await clock.pass(4 * dayMs);
    assert.equal(bin.list().length, 1);
    await clock.pass(1.5 * dayMs);
    assert.equal(bin.list().length, 0, 'a day counted of each');
    const id = await thrown(bin, 'w', 't');
    const end = Date.parse(bin.list()[0]?.expiresAt ?? '');
    assert.ok(Math.abs(end - clock.now() - 7 * dayMs) < 1000, `${id} counts from now on`);
    // Right again: what was thrown away meanwhile still has its week.
    clock.set(-60 * dayMs);
    await clock.pass(6 * dayMs);
    assert.equal(bin.list().length, 1);
    await clock.pass(4 * dayMs);
    assert.equal(bin.list().length, 0);
    bin.close();
  });

  it('keeps what is there while it is turned off, and says that nothing ends it', async () => {
    const bin = await binOf();
    await thrown(bin, 'v', 's');
    days = 0;
    await clock.pass(30 * dayMs);
    assert.deepEqual(
      bin.list().map(({ name, expiresAt }) => [name, expiresAt]),
      [['v', undefined]],
    );
    bin.close();
  });

  it('tries again later what could not be removed, of which all is there until then', async () => {
    const bin = await binOf();
    await thrown(bin, 'v', 's');
    refuses = 's';
    await clock.pass(8 * dayMs);
    assert.equal(bin.list().length, 1);
    refuses = undefined;
    await clock.pass(3_600_000);
    assert.deepEqual([bin.list(), dropped], [[], ['s']]);
    bin.close();
  });

  it('notes on a full disk that an item is going as soon as that has made room', async () => {
    const records = new TrashRecords(join(folder, 'trash'));
    const bin = await binOf({}, records);
    const id = await thrown(bin, 'v', 's');
    const { volumes } = bin.get(id);
    await bin.update(id, { volumes: [...volumes, volume('w', 'second')] });
    const write = records.write.bind(records);
    records.write = async (record) => {
      if (!dropped.includes('s')) throw new BerthError('no_space', 'The disk is full.');
      await write(record);
    };
    refuses = 'second';
    await assert.rejects(bin.drop(id));
    const { state } = JSON.parse(readFileSync(join(folder, 'trash', `${id}.json`), 'utf8')) as {
      state: string;
    };
    assert.equal(state, 'going', 'half of an item is none for the next engine');
    bin.close();
  });

  it('takes nothing for an orphan where the trash could not be looked through', async () => {
    const records = new TrashRecords(join(folder, 'trash'));
    records.load = () => Promise.reject(new Error('EIO'));
    const bin = await binOf({}, records);
    assert.equal(bin.isUncertain, true);
    bin.close();
  });

  it('takes what a killed engine was making for whole only where the delete has begun to delete', async () => {
    const bin = await binOf();
    const spec = { runtime: 'container', image: 'i' } as const;
    const made = { label: 'w', spec, cloned: false, homeVolume: 'workspace-w' };
    const { id: confirmed } = await bin.begin({ kind: 'workspace', name: 'confirmed', workspace: made });
    const { id: cutOff } = await bin.begin({ kind: 'workspace', name: 'cut-off', workspace: made });
    await bin.update(cutOff, { volumes: [volume('workspace-w', 'half')], image: 'berth-trash/w:1' });
    const { id: gone } = await bin.begin({ kind: 'volume', name: 'gone' });
    await bin.update(gone, { volumes: [volume('gone', 'whole')] });
    const { id: there } = await bin.begin({ kind: 'volume', name: 'there' });
    await bin.update(there, { volumes: [volume('there', 'of-one-that-is-there')] });
    const { id: removed } = await bin.begin({ kind: 'volume', name: 'removed' });
    await bin.update(removed, { volumes: [volume('removed', 'going')], state: 'going' });
    bases = new ForkBases();
    const next = await binOf({ confirmed, 'cut-off': undefined });
    await until('it to be tidied up', () =>
      Promise.resolve(files().length === 2 && next.list().length === 2),
    );
    assert.deepEqual(
      next
        .list()
        .map(({ name }) => name)
        .sort(),
      ['confirmed', 'gone'],
    );
    assert.deepEqual(dropped.sort(), ['berth-trash/w:1', 'going', 'half', 'of-one-that-is-there']);
    assert.ok(bases.isHeld('i'), 'the image of what can be had back is held');
    bin.close();
    next.close();
  });

  it('lists what it can read beside damaged records, and then takes no snapshot for one that nobody has', async () => {
    const bin = await binOf();
    const id = await thrown(bin, 'v', 's');
    bin.close();
    mkdirSync(join(folder, 'snapshots'));
    writeFileSync(join(folder, 'trash', '0123456789ab.json'), '{"schemaVersion":1,"id":');
    const other = readFileSync(join(folder, 'trash', `${id}.json`), 'utf8');
    writeFileSync(join(folder, 'trash', 'ba9876543210.json'), other);
    for (const expected of ['first', 'later']) {
      const next = await binOf();
      assert.deepEqual(
        next.list().map((each) => each.name),
        ['v'],
        expected,
      );
      assert.equal(next.isUncertain, true, expected);
      next.close();
    }
  });
});

describe('backend/store/removal-journal', () => {
  const temp = useTempFolder();

  it('reads what it has written, but for a line that was cut off, and does not grow for ever', async () => {
    const path = join(temp(), 'removals.log');
    const journal = new RemovalJournal(path);
    for (let n = 0; n < 3; n += 1) {
      await journal.note({ what: 'trash', name: `n${n}`, reason: 'asked for' });
    }
    writeFileSync(path, '{"at":"20', { flag: 'a' });
    assert.deepEqual(
      (await journal.read()).map(({ name }) => name),
      ['n0', 'n1', 'n2'],
    );
    writeFileSync(path, `${' '.repeat(1024 * 1024)}\n`, { flag: 'a' });
    await journal.note({ what: 'trash', name: 'n3', reason: 'asked for' });
    assert.deepEqual(
      (await journal.read()).map(({ name }) => name),
      ['n0', 'n1', 'n2', 'n3'],
    );
    assert.ok(readFileSync(path).length < 1000);
  });
});
