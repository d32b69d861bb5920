import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode, textOf, TestVolume } from './harness';

describe('files of a volume', function () {
  this.timeout(20_000);
  let volume: TestVolume;
  const at = (...path: string[]): string => join(volume.root, ...path);
  const get = async (path: string): Promise<string> => textOf(await volume.files.read(path));

  beforeEach(async () => {
    volume = await TestVolume.create();
  });
  afterEach(() => volume.dispose());

  it('leaves a read half way without keeping anything open', async () => {
    writeFileSync(at('big'), Buffer.alloc(4_000_000));
    for await (const part of await volume.files.read('/big')) {
      assert.ok(part);
      break;
    }
    const unread = await volume.files.read('/big');
    unread.destroy();
    await sleep(50);
    assert.equal(volume.held, 0);
  });

  it('a move to where something else is mounted leaves what has come meanwhile, and says so', async () => {
    const before = `
import errno, os
rename = os.rename
def renaming(source, target, src_dir_fd=None, dst_dir_fd=None):
    if source != "copy":
        raise OSError(errno.EXDEV, "across")
    rename(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
    for name in ("new", "sub/new"):
        open(os.path.join(os.readlink(f"/proc/self/fd/{dst_dir_fd}"), "d", name), "w").close()
os.rename = renaming
`;
    const across = await TestVolume.create('across', { before });
    try {
      mkdirSync(join(across.root, 'd/sub'), { recursive: true });
      ['d/a', 'd/sub/b'].forEach((path) => writeFileSync(join(across.root, path), path));
      await assert.rejects(across.files.rename('/d', '/e', { overwrite: true }), (error: Error) => {
        assert.match(error.message, /^"\/d\/new" is in use \(it, and 1 more, stays: all else was moved\)/);
        return hasCode('in_use')(error);
      });
      const left = readdirSync(join(across.root, 'd'), { recursive: true }).sort();
      assert.deepEqual(left, ['new', 'sub', 'sub/new']);
      assert.deepEqual(readdirSync(join(across.root, 'e'), { recursive: true }).sort(), [
        'a',
        'sub',
        'sub/b',
      ]);
    } finally {
      await across.dispose();
    }
  });

  it('is never led out by a folder that turns into a link and back', async () => {
    const outside = await TestVolume.create('outside');
    const { renameSync } = await import('node:fs');
    try {
      writeFileSync(join(outside.root, 'f'), 'outside');
      mkdirSync(at('real'));
      writeFileSync(at('real/f'), 'inside');
      symlinkSync(outside.root, at('evil'));
      const tries = Array.from({ length: 300 }, async () => {
        const text = await get('/real/f').catch(() => '');
        assert.notEqual(text, 'outside');
      });
      for (let n = 0; n < 150; n++) {
        renameSync(at('real'), at('aside'));
        renameSync(at('evil'), at('real'));
        await new Promise(setImmediate);
        renameSync(at('real'), at('evil'));
        renameSync(at('aside'), at('real'));
        await new Promise(setImmediate);
      }
      await Promise.all(tries);
    } finally {
      await outside.dispose();
    }
  });

  it('opens a new agent for what may be done twice, and says so for what may not', async () => {
    writeFileSync(at('a'), 'x');
    assert.equal((await volume.files.stat('/a')).size, 1);
    const channel = await volume.channel();
    const list = volume.files.list('/');
    await volume.kill();
    assert.equal((await list).total, 1);
    assert.equal(channel.isOpen, false);
    assert.equal(volume.started, 2);
    const removal = volume.files.remove('/none', { recursive: true });
    await volume.kill();
    await assert.rejects(
      removal,
      (error) => hasCode('runtime_unavailable')(error) || hasCode('path_not_found')(error),
    );
    assert.equal(await get('/a'), 'x');
  });
});
