import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { skipWithout } from '../../../support/skip';
import { mountSmallDisk, unmountSmallDisk } from '../../../support/small-disk';
import { hasCode, TestVolume } from './agent-harness';

describe('files of a volume with something mounted in it', function () {
  this.timeout(20_000);
  let volume: TestVolume;
  beforeEach(async () => {
    volume = await TestVolume.create();
  });
  afterEach(() => volume.dispose());

  it('removes no folder that something is mounted in (mounts a tmpfs: needs root)', async function () {
    const disk = join(volume.root, 'folder', 'with space', 'disk');
    if (!mountSmallDisk(disk, '64k')) {
      skipWithout(this, 'a small disk is mounted by root alone');
    }
    try {
      writeFileSync(join(disk, 'theirs'), '');
      writeFileSync(join(volume.root, 'folder', 'beside'), '');
      for (const path of ['/folder', '/folder/with space', '/folder/with space/disk']) {
        const removed = volume.files.remove(path, { recursive: true });
        await assert.rejects(
          removed,
          (error) => hasCode('in_use')(error) && /with space\/disk/.test(String(error)),
        );
      }
      assert(existsSync(join(disk, 'theirs')) && existsSync(join(volume.root, 'folder', 'beside')));
    } finally {
      unmountSmallDisk(disk);
    }
    await volume.files.remove('/folder', { recursive: true });
    assert(!existsSync(join(volume.root, 'folder')));
  });
});
