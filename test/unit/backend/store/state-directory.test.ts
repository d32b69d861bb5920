import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { StateDirectory } from '../../../../src/backend/store/state-directory';

describe('the state directory', () => {
  let home: string;
  beforeEach(async () => (home = await mkdtemp(join(tmpdir(), 'berth-state-'))));
  afterEach(() => rm(home, { recursive: true, force: true }));

  const put = async (...names: string[]): Promise<void> => {
    for (const name of names) {
      await mkdir(join(home, dirname(name)), { recursive: true });
      await writeFile(join(home, name), '');
    }
  };

  it('forgets what a killed engine was writing, wherever that was', async () => {
    const drafts = [
      'settings.json.51226104813237',
      'volumes/index.json.51226104813237',
      'volumes/data.ext4.51226104813237',
      'workspaces/one/workspace.json.7',
      'keys/hosts/one.key.12',
      'ssh/config.99',
      'engine.lock.0f8fad5b-d9cb-469f-a165-70867728950e',
    ];
    const kept = [
      'settings.json',
      'volumes/index.json',
      'volumes/data.ext4',
      'volumes/shared.json.7/file',
      'volumes/shared.ext4.7/file',
      'workspaces/one/1.json',
      'ssh/config',
    ];
    const directory = new StateDirectory(home);
    await directory.ensure();
    await put(...drafts, ...kept);
    await directory.sweep();
    assert.deepEqual(
      drafts.filter((name) => existsSync(join(home, name))),
      [],
    );
    assert.deepEqual(
      kept.filter((name) => !existsSync(join(home, name))),
      [],
    );
  });
});
