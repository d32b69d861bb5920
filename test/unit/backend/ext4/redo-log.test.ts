import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  closeSync,
} from 'node:fs';
import { join } from 'node:path';
import { Ext4, rootInode } from '../../../../src/backend/ext4/file-system';
import { finishRedoLog, RedoLog, redoLogOf } from '../../../../src/backend/ext4/redo-log';
import { useTempFolder } from '../../../support/temp';
import { assertClean, makeImage } from '../files/disk/harness';

const attributes = { mode: 0o644, uid: 0, gid: 0 };

describe('the redo log', function () {
  this.timeout(60_000);
  const folder = useTempFolder();

  it('is applied when it is complete, and thrown away when it is not', () => {
    const image = join(folder(), 'image');
    writeFileSync(image, Buffer.alloc(4096 * 4));
    const file = openSync(image, 'r+');
    const log = new RedoLog(redoLogOf(image), file);
    log.commit(
      4096,
      new Map([
        [1, Buffer.alloc(4096, 'a')],
        [3, Buffer.alloc(4096, 'b')],
      ]),
    );
    closeSync(file);
    const complete = readFileSync(redoLogOf(image));
    writeFileSync(image, Buffer.alloc(4096 * 4));
    assert.equal(finishRedoLog(image), true);
    const after = readFileSync(image);
    assert.deepEqual(
      [0, 4096, 8192, 12_288].map((at) => after[at]),
      [0, 97, 0, 98],
    );
    assert.ok(!existsSync(redoLogOf(image)));
    for (const cut of [0, 20, 5000, complete.length - 1]) {
      writeFileSync(image, Buffer.alloc(4096 * 4));
      writeFileSync(redoLogOf(image), complete.subarray(0, cut));
      assert.equal(finishRedoLog(image), false);
      assert.ok(readFileSync(image).every((byte) => byte === 0));
    }
    assert.equal(finishRedoLog(image), false);
  });

  it('makes changes whole whenever the writing stops', () => {
    const image = makeImage(join(folder(), 'fs.ext4'), 32);
    const before = join(folder(), 'before');
    copyFileSync(image, before);
    const fs = Ext4.open(image);
    const content = fs.newContent();
    content.append(Buffer.from('content'));
    content.finish();
    fs.transact(() => fs.makeFile(rootInode, 'file', content, attributes));
    // The log of the last change is there until the image is closed: as after kill -9 at that moment.
    const log = readFileSync(redoLogOf(image));
    fs.close();
    for (const isComplete of [true, false]) {
      copyFileSync(before, join(folder(), 'cut'));
      const cut = join(folder(), 'cut');
      writeFileSync(redoLogOf(cut), log);
      if (!isComplete) {
        truncateSync(redoLogOf(cut), log.length - 100);
      }
      finishRedoLog(cut);
      const again = Ext4.open(cut);
      assert.equal(again.lookup(rootInode, 'file') !== undefined, isComplete);
      again.close();
      assertClean(cut);
    }
  });

  it('lets kill -9 at any time leave a sound file system, and all that was said to be written', async () => {
    const image = makeImage(join(folder(), 'fs.ext4'), 64);
    const library = require.resolve('../../../../src/backend/ext4/file-system');
    const source = `
      const { Ext4 } = require(${JSON.stringify(library)});
      const fs = Ext4.open(${JSON.stringify(image)});
      for (let n = Number(process.argv[1]); ; n++) {
        const content = fs.newContent();
        content.append(Buffer.alloc(20000, 'x'));
        content.finish();
        fs.transact(() => {
          fs.makeFile(2, 'file-' + n, content, { mode: 0o644, uid: 0, gid: 0 });
          if (n % 3 === 2) fs.remove(2, 'file-' + (n - 1));
        });
        process.stdout.write(n + '\\n');
      }`;
    let next = 0;
    for (const afterMs of [0, 3, 7, 12, 20, 33]) {
      const child = spawn(process.execPath, ['-e', source, String(next)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let said = '';
      child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
      await once(child.stdout, 'data');
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      child.kill('SIGKILL');
      await once(child, 'close');
      finishRedoLog(image);
      assertClean(image);
      const last = Number(said.trim().split('\n').at(-1));
      const fs = Ext4.open(image);
      // The next one, of which it could not tell any more, may have removed it.
      const found = fs.lookup(rootInode, `file-${last}`) ?? fs.lookup(rootInode, `file-${last + 1}`);
      assert.ok(found !== undefined);
      const { content, close } = fs.reader(fs.inode(found));
      assert.ok(content.read(0, content.size).equals(Buffer.alloc(20_000, 'x')));
      close();
      while (fs.lookup(rootInode, `file-${next}`) !== undefined || next <= last) {
        next++;
      }
      fs.close();
    }
  });
});
