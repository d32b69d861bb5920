import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sweepLeftovers } from '../../../../../src/backend/files/agent/sweep';
import { skipWithout } from '../../../../support/skip';
import { mount, mountSmallDisk, unmount } from '../../../../support/files/small-disk';
import { succeed } from '../../../../support/programs';
import { agentDir, hasCode, TestVolume } from './harness';

/** What a folder of ours has mounted in it, from a table with one of each type; then how far up a stage may be. */
const script = `
import os, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import mounts, places
root = os.open(sys.argv[2], os.O_RDONLY)
point = lambda name: os.path.realpath(sys.argv[2]).encode() + b"/" + name
mounts._table = lambda: [(b"0:1", point(name), name) for name in (b"ext4", b"virtiofs", b"9p", b"proc", b"tmpfs")]
print([name for (name,) in mounts.mounts_below(root)])
deep = os.open("a/b", os.O_RDONLY, dir_fd=root)
with places.top_of_mount(deep, root) as top:
    print(os.path.samefile(top, root))
`;

describe('files of a volume with something mounted in it', function () {
  this.timeout(20_000);
  let volume: TestVolume;
  beforeEach(async () => {
    volume = await TestVolume.create();
  });
  afterEach(() => volume.dispose());

  it('removes no folder that something is mounted in', async function () {
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
      unmount(disk);
    }
    await volume.files.remove('/folder', { recursive: true });
    assert(!existsSync(join(volume.root, 'folder')));
  });

  it('sweeps what a dead upload left there, and counts nothing that the kernel makes up', async function () {
    const disk = join(volume.root, 'folder', 'disk');
    const kernel = join(volume.root, 'kernel');
    if (!mountSmallDisk(disk, '64k')) {
      skipWithout(this, 'a small disk is mounted by root alone');
    }
    mkdirSync(kernel);
    assert(mount('-t', 'proc', 'berth-test', kernel));
    try {
      const stage = join(disk, '.berth-stage-0123456789abcdef');
      mkdirSync(join(stage, 'deep'), { recursive: true });
      const theirs = [join(disk, '.berth-stage-theirs'), join(disk, 'folder')];
      theirs.forEach((path) => mkdirSync(path));
      await sweepLeftovers(await volume.channel());
      assert(!existsSync(stage));
      assert(theirs.every((path) => existsSync(path)));
      const { bytes, files, directories } = await volume.files.usage('/');
      assert.deepEqual([bytes, files, directories], [0, 0, 5]);
    } finally {
      unmount(kernel);
      unmount(disk);
    }
  });

  it('keeps its stages to itself: none above the volume, none is swept where locks do not reach', async () => {
    mkdirSync(join(volume.root, 'a', 'b'), { recursive: true });
    const said = await succeed('python3', ['-c', script, agentDir, volume.root]);
    assert.equal(said, "['ext4', 'tmpfs']\nTrue");
  });
});
