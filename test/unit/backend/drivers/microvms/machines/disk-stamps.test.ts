import assert from 'node:assert/strict';
import { open, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  coarseStampsOf,
  hasChangedSince,
  settledStamps,
  stampsOf,
} from '../../../../../../src/backend/drivers/microvms/machines/disk-stamps';
import { useTempFolder } from '../../../../../support/temp';

describe('stamps of disks', function () {
  this.timeout(20_000);
  const temp = useTempFolder();

  async function writeByte(path: string): Promise<void> {
    const file = await open(path, 'r+');
    await file.write(Buffer.of(1), 0, 1, 0);
    await file.close();
  }

  it('show a write that follows at once, although the one before was just now', async () => {
    const path = join(temp(), 'disk');
    for (let round = 0; round < 30; round += 1) {
      await writeFile(path, 'disk');
      const before = await settledStamps([path]);
      assert.equal(await hasChangedSince(before, [path]), false);
      await writeByte(path);
      assert.equal(await hasChangedSince(before, [path]), true, String(round));
    }
  });

  it('do not wait for a disk that nobody has written to for long, and show a clock that was set back', async () => {
    const path = join(temp(), 'disk');
    await writeFile(path, 'disk');
    await utimes(path, 1_000, 1_000);
    const begun = performance.now();
    const before = await settledStamps([path]);
    assert(performance.now() - begun < 1_000);
    await utimes(path, 999, 999);
    assert.equal(await hasChangedSince(before, [path]), true);
  });

  it('wait longer where times are whole seconds', async () => {
    const path = join(temp(), 'disk');
    await writeFile(path, 'disk');
    const now = Math.floor(Date.now() / 1000);
    await utimes(path, now, now);
    const begun = performance.now();
    await settledStamps([path]);
    assert(performance.now() - begun > 2_000);
  });

  it('are the same for a copy that has lost parts of a second, where they are to outlive that', async () => {
    const path = join(temp(), 'disk');
    await writeFile(path, 'disk');
    await utimes(path, 1_000, 1_000.75);
    const before = await coarseStampsOf([path]);
    await utimes(path, 1_000, 1_000);
    assert.deepEqual(await coarseStampsOf([path]), before);
    await utimes(path, 1_000, 1_001);
    assert.notDeepEqual(await coarseStampsOf([path]), before);
    await utimes(path, 1_000, 1_000);
    await writeFile(path, 'other');
    await utimes(path, 1_000, 1_000);
    assert.notDeepEqual(await coarseStampsOf([path]), before, 'of another size');
  });

  it('differ for a disk that is gone, grew, or was not among them', async () => {
    const [one, other] = [join(temp(), 'one'), join(temp(), 'other')];
    await writeFile(one, 'disk');
    const before = await stampsOf([one]);
    assert.equal(await hasChangedSince(before, [one, other]), true);
    await rm(one);
    assert.equal(await hasChangedSince(before, [one]), true);
  });
});
