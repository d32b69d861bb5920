import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownerIn } from '../../../../src/backend/files/owners';
import type { VolumeFiles } from '../../../../src/backend/files/volume-files';
import { Transfers } from '../../../../src/backend/services/transfers/transfers';
import { DownloadDrafts } from '../../../../src/backend/store/download-drafts';
import { needsRoot } from '../../../support/skip';
import { TestContext } from '../../../support/test-context';
import { TestVolume } from './agent/harness';
import { TestDisk } from './disk/harness';

describe('whom new files belong to', function () {
  this.timeout(30_000);
  let local: string;
  before(() => {
    local = mkdtempSync(join(tmpdir(), 'berth-owners-'));
    mkdirSync(join(local, 'records'));
    mkdirSync(join(local, 'up'));
    writeFileSync(join(local, 'up', 'f'), 'f');
  });
  after(() => rmSync(local, { recursive: true, force: true }));

  it('is the owner of the folder, and the user where everybody may write', () => {
    const user = { uid: 1000, gid: 1000 };
    assert.deepEqual(ownerIn({ uid: 0, gid: 0, mode: 0o1777 }), user);
    assert.deepEqual(ownerIn({ uid: 0, gid: 0, mode: 0o041777 }), user);
    for (const [uid, gid, mode] of [
      [0, 0, 0o755],
      [0, 0, 0o777],
      [0, 5, 0o1775],
      [7, 8, 0o1777],
    ] as const) {
      assert.deepEqual(ownerIn({ uid, gid, mode }), { uid, gid });
    }
  });

  async function check(files: VolumeFiles): Promise<void> {
    const transfers = new Transfers({
      openFiles: () => Promise.resolve(files),
      drafts: new DownloadDrafts(join(local, 'records')),
    });
    for (const [folder, owner] of [
      ['/tmp', [1000, 1000]],
      ['/etc', [0, 0]],
    ] as const) {
      await files.write(`${folder}/file`, Buffer.from('x'), { create: true, overwrite: false });
      await files.mkdir(`${folder}/folder/deep`, { parents: true });
      const up = { from: { local: [join(local, 'up')] }, to: { volume: 'one', path: folder } };
      await transfers.run(up, new TestContext());
      for (const name of ['file', 'folder', 'folder/deep', 'up', 'up/f']) {
        const { uid, gid } = await files.stat(`${folder}/${name}`);
        assert.deepEqual([uid, gid], owner, `${folder}/${name}`);
      }
    }
  }

  it('is so in a folder', async function () {
    needsRoot(this, 'gives files to others');
    const volume = await TestVolume.create();
    try {
      for (const [name, mode] of [
        ['tmp', 0o1777],
        ['etc', 0o755],
      ] as const) {
        mkdirSync(join(volume.root, name));
        chmodSync(join(volume.root, name), mode);
        chownSync(join(volume.root, name), 0, 0);
      }
      await check(volume.files);
      assert.equal(statSync(join(volume.root, 'tmp', 'up', 'f')).uid, 1000);
    } finally {
      await volume.dispose();
    }
  });

  it('is so on a disk', async () => {
    const disk = await TestDisk.create(local);
    try {
      await disk.files.mkdir('/etc');
      await disk.files.mkdir('/tmp');
      await disk.files.chmod('/tmp', 0o1777);
      await check(disk.files);
    } finally {
      await disk.dispose();
    }
  });
});
