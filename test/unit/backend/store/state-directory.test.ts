import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { StateDirectory } from '../../../../src/backend/store/state-directory';

describe('the state directory', () => {
  let home: string;
  beforeEach(async () => (home = await mkdtemp(join(tmpdir(), 'berth-state-'))));
  afterEach(() => rm(home, { recursive: true, force: true }));

  const draftName = `.berth-draft-${'0123456789abcdef'.repeat(2)}`;
  const put = async (...names: string[]): Promise<void> => {
    for (const name of names) {
      await mkdir(join(home, dirname(name)), { recursive: true });
      await writeFile(join(home, name), '');
    }
  };

  it('forgets what a killed engine was writing, wherever that was', async () => {
    const drafts = [
      ...['', 'volumes', 'workspaces/one', 'keys/hosts', 'ssh', 'downloads'].map((folder) =>
        join(folder, draftName),
      ),
      `volumes/${draftName}.content/0`,
    ];
    const kept = [
      'settings.json',
      'volumes/index.json',
      'volumes/data.ext4',
      'volumes/data.ext4.20261126',
      'volumes/shared.ext4.7/file',
      'keys/hosts/one.key.12',
      'workspaces/one/workspace.json.7',
      '.berth-draft-mine',
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

  it('forgets half-made images, in a shared cache only those that nobody writes to any more', async () => {
    const draft = (where: string, mark: string) => join(where, `.berth-draft-${mark.repeat(32)}`);
    const fresh = draft('cache/images/rootfs', 'a');
    const old = draft('cache/images/oci/blobs/sha256', 'b');
    const own = draft('images/oci', 'c');
    const backup = 'cache/images/rootfs/one.ext4.1';
    await put(fresh, old, own, backup);
    const hours = (count: number) => Date.now() / 1000 - count * 3600;
    await utimes(join(home, old), hours(2), hours(2));
    await new StateDirectory(home).sweepImages(join(home, 'cache'));
    assert.deepEqual(
      [fresh, old, own, backup].map((name) => existsSync(join(home, name))),
      [true, false, false, true],
    );
  });
});
