import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LateRemoval } from '../../../../../../src/backend/drivers/microvms/machines/late-removal';

describe('late removal', () => {
  const warnings: string[] = [];
  const ignore = () => undefined;
  const log = {
    ...{ debug: ignore, info: ignore, error: ignore },
    warn: (_: object, message: string) => void warnings.push(message),
  };
  let folder: string;
  let removal: LateRemoval;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-late-'));
    removal = new LateRemoval(log);
    warnings.length = 0;
  });
  afterEach(async () => {
    await removal.close();
    rmSync(folder, { recursive: true });
  });

  it('removes at the latest when it is closed, and not at once', async () => {
    const paths = ['a', 'b'].map((name) => join(folder, name));
    for (const path of paths) {
      writeFileSync(path, 'large');
      removal.add(path);
    }
    assert.deepEqual(paths.map(existsSync), [true, true]);
    await removal.close();
    assert.deepEqual(paths.map(existsSync), [false, false]);
  });

  it('takes a file twice, and one that has gone already', async () => {
    const path = join(folder, 'a');
    removal.add(path);
    removal.add(path);
    await removal.close();
    assert.deepEqual(warnings, []);
  });

  it('tells what it could not remove', async () => {
    const path = join(folder, 'a');
    mkdirSync(path);
    removal.add(path);
    await removal.close();
    assert.equal(warnings.length, 1);
  });
});
