import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filesKeepWhatTheyAre } from '../../../support/files/file-conformance';
import { DirectoryVolumes } from '../../../../src/backend/drivers/microvms/disks/directory-volumes';
import { removeTree } from '../../../support/temp';
import { agentDir, TestVolume } from './agent/harness';
import { TestDisk } from './disk/harness';

describe('files keep what they are', function () {
  this.timeout(120_000);

  describe('in a folder, by the agent in Python', () => {
    let volume: TestVolume;
    before(async () => (volume = await TestVolume.create()));
    after(() => volume.dispose());
    filesKeepWhatTheyAre({ files: () => Promise.resolve(volume.files), seeds: [1, 2, 3] });
  });

  describe('in a directory volume', () => {
    let folder: string;
    const volumes = new DirectoryVolumes(agentDir);
    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'berth-conformance-directory-'));
      await volumes.make(join(folder, 'v'));
    });
    after(async () => {
      await volumes.closeAll();
      removeTree(folder);
    });
    filesKeepWhatTheyAre({
      files: () => Promise.resolve(volumes.files('v', join(folder, 'v'))),
      seeds: [4],
    });
  });

  describe('in the disk of a stopped machine', () => {
    let folder: string;
    let disk: TestDisk;
    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'berth-conformance-disk-'));
      disk = await TestDisk.create(folder, { sizeMiB: 512 });
    });
    after(async () => {
      await disk.check();
      await disk.dispose();
      rmSync(folder, { recursive: true, force: true });
    });
    filesKeepWhatTheyAre({ files: () => Promise.resolve(disk.files), seeds: [1, 2, 3] });
  });
});
